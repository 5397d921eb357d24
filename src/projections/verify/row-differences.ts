import { type Json, sameJson } from '../../domain/json.js';
import { type RowDifference, type RowsCompared } from '../../domain/verification.js';
import { keyText, type Row, type Table } from '../projection.js';

/** A value as `to_json` gives it; times as instants, as long as they have no more than milliseconds. */
const comparable = (value: unknown, type: string | undefined): Json => {
  if (value === undefined || value === null) return null;
  if (type === 'timestamptz' && typeof value === 'string' && !/\.\d{4}/.test(value))
    return new Date(value).toISOString();
  return value as Json;
};

const firstDifference = (table: Table, held: Row, expected: Row): string | undefined =>
  Object.entries(table.columns).find(
    ([column, type]) =>
      !sameJson(comparable(held[column], type), comparable(expected[column], type)),
  )?.[0];

const named = (table: Table, row: Row): RowDifference['key'] =>
  Object.fromEntries(table.key.map((column) => [column, row[column]]));

/** Rows of one table by key: those that differ, and those that only one side has. */
const differencesIn = (
  table: Table,
  held: readonly Row[],
  expected: readonly Row[],
): readonly RowDifference[] => {
  const left = new Map(held.map((row) => [keyText(table.key, row), row]));
  const found: RowDifference[] = [];
  for (const row of expected) {
    const key = keyText(table.key, row);
    const other = left.get(key);
    left.delete(key);
    const place = { table: table.name, key: named(table, row) };
    if (other === undefined) found.push({ ...place, column: null, only: 'rebuilt' });
    else {
      const column = firstDifference(table, other, row);
      if (column !== undefined) found.push({ ...place, column });
    }
  }
  for (const row of left.values())
    found.push({ table: table.name, key: named(table, row), column: null, only: 'live' });
  return found;
};

/** What is compared, of one table: the rows that are there, and those that should be. */
export type Pair = Readonly<{ table: Table; rows: readonly Row[]; wanted: readonly Row[] }>;

export const comparedRows = (
  pairs: readonly Pair[],
): Pick<RowsCompared, 'rows' | 'differences'> => ({
  rows: Object.fromEntries(pairs.map(({ table, rows }) => [table.name, rows.length])),
  differences: pairs.flatMap(({ table, rows, wanted }) => differencesIn(table, rows, wanted)),
});
