import { type StreamParts, parseStream, projectIdOf } from '../domain/streams.js';
import { type Step } from './fold/fold.js';
import { type LinkedStep } from './fold/link-steps.js';
import { READ_MODELS, STREAM_MODELS } from './read-models.js';
import { insertStatement, type Table, type TableRows, type Transaction } from './projection.js';

/** One statement per table, one more to close open revisions. */
const write = async (tx: Transaction, all: readonly TableRows[]): Promise<void> => {
  for (const { table, rows, close } of all) {
    if (rows.length === 0) continue;
    const json = JSON.stringify(rows);
    if (close !== undefined) await tx.query(close, [json]);
    await tx.query(insertStatement(table), [json]);
  }
};

/** Writes what the steps say into every table. */
export const writeRows = (tx: Transaction, steps: readonly LinkedStep[]): Promise<void> =>
  write(
    tx,
    READ_MODELS.flatMap(({ rowsOf }) => rowsOf(steps)),
  );

/** Writes what the steps of a stream say of it; the audit trail has their events already. */
export const writeStreamRows = (tx: Transaction, steps: readonly Step[]): Promise<void> =>
  write(
    tx,
    STREAM_MODELS.flatMap(({ rowsOf }) => rowsOf(steps)),
  );

/** Whether a table has rows of such streams. */
export const isOf = (table: Table, { category }: Pick<StreamParts, 'category'>): boolean =>
  table.category === undefined || table.category === category;

/** What a column that names a stream says of this one. */
const namedBy = (column: string, stream: string, parts: StreamParts): string => {
  if (column === 'stream') return stream;
  if (column === 'organization_id') return parts.organizationId;
  if (column === 'project_id') return projectIdOf(parts.organizationId, parts.projectKey ?? '');
  return parts.key ?? '';
};

/** The condition for a table's rows (`t`) of a stream, and its values. */
const rowsOfStream = (table: Table, [stream, parts]: readonly [string, StreamParts]) => ({
  isNamed: table.stream.map((column, nth) => `t.${column} = $${nth + 1}`).join(' and '),
  values: table.stream.map((column) => namedBy(column, stream, parts)),
});

/** Removes what the tables say of a stream, but for the audit trail. */
export const dropStreamRows = async (tx: Transaction, stream: string): Promise<void> => {
  const parts = parseStream(stream);
  if (parts === undefined) return;
  for (const table of STREAM_MODELS.flatMap(({ tables }) => tables)) {
    if (!isOf(table, parts)) continue;
    const { isNamed, values } = rowsOfStream(table, [stream, parts]);
    await tx.query(`delete from ${table.name} t where ${isNamed}`, values);
  }
};
