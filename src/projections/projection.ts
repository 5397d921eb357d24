import { type Category } from '../domain/streams.js';
import { type Step } from './fold/fold.js';
import { type LinkedStep } from './fold/link-steps.js';

export type Row = Readonly<Record<string, unknown>>;

/** Port to one Postgres transaction. Names without a schema are the read model's. */
export type Transaction = Readonly<{
  query: (
    text: string,
    values?: readonly unknown[],
  ) => Promise<Readonly<{ rows: readonly Row[]; rowCount: number }>>;
}>;

/** Port to Postgres. `DataRefused` tells values that Postgres will never take from a failure that may pass. */
export type Database = Readonly<{
  /** Commits when `work` resolves, rolls back when it rejects. @throws DataRefused */
  transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
}>;

/** Postgres refused the values themselves (SQLSTATE class 22, 23 or 54): repeating the statement cannot help. */
export class DataRefused extends Error {
  override readonly name = 'DataRefused';
}

/** A table of the read model: how rows are written, live (`insert`) and in a rebuild (the columns, in order). */
export type Table = Readonly<{
  name: string;
  /** Column → SQL type. */
  columns: Readonly<Record<string, string>>;
  /** The columns that tell one row from another: its primary key. */
  key: readonly string[];
  /** The columns that tell the rows of one stream from those of another. */
  stream: readonly string[];
  /** Categories of the streams that have rows in it; all of them when it is not given. */
  category?: Category;
  /** What happens to a row whose key is there already; makes writing the same row again harmless. */
  onConflict: string;
}>;

/** A value of a column as JSON that a double reads right: of whole numbers that it does not hold the digits, as a text. */
export const exactJson = ({ columns }: Table, column: string, value: string): string =>
  columns[column] === 'bigint'
    ? `case when ${value} > ${Number.MAX_SAFE_INTEGER} then to_json(${value}::text) else to_json(${value}) end`
    : value;

/** The whole numbers of a row of the table as such JSON: \`to_json\` of the row does not give them so. */
export const wholeNumbers = (table: Table, row: string): string => {
  const names = Object.keys(table.columns).filter((column) => table.columns[column] === 'bigint');
  const members = names.map((name) => `'${name}', ${exactJson(table, name, `${row}.${name}`)}`);
  return `json_build_object(${members.join(', ')})`;
};

/** The key's values of a row, as one text. */
export const keyText = (columns: readonly string[], row: Row): string =>
  JSON.stringify(columns.map((column) => row[column]));

/** Rows of one table. `close` ends the row of the revision before, which was open until now. */
export type TableRows = Readonly<{ table: Table; rows: readonly Row[]; close?: string }>;

/** One read model: pure, from steps in log order to rows. */
export type ReadModel<S extends Step = LinkedStep> = Readonly<{
  tables: readonly Table[];
  rowsOf: (steps: readonly S[]) => readonly TableRows[];
}>;

const recordset = (table: Table): string =>
  Object.entries(table.columns)
    .map(([column, type]) => `${column} ${type}`)
    .join(', ');

/** One statement for any number of rows: $1 is a JSON array of them. */
export const insertStatement = (table: Table): string => {
  const columns = Object.keys(table.columns);
  return `insert into ${table.name} (${columns.join(', ')})
          select ${columns.map((column) => `r.${column}`).join(', ')}
            from jsonb_to_recordset($1::jsonb) as r (${recordset(table)})
              on conflict (${table.key.join(', ')}) ${table.onConflict}`;
};

/** `do update` of every column but the key's and those set once, only by a newer revision. */
export const whenNewer = (
  name: string,
  columns: Readonly<Record<string, string>>,
  fixed: readonly string[],
): string => {
  const changing = Object.keys(columns).filter((column) => !fixed.includes(column));
  return `do update set ${changing.map((column) => `${column} = excluded.${column}`).join(', ')}
           where ${name}.revision < excluded.revision`;
};
