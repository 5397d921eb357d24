import { statSync } from 'node:fs';
import { type Blob, damaged, type Database, FIRST_POSITION, type Statement } from './schema.js';
import {
  EVENT_COLUMNS,
  eventOf,
  type EventRow,
  isIntact,
  type StoredEvent,
  textOf,
} from './stored-event.js';

/** Up to this size every event is verified at each start; it takes well under a second. */
const SMALL_FILE_BYTES = 32 * 1024 * 1024;
const TAIL_EVENTS = 256;
const PAGE_EVENTS = 1000;

/** An event and the position under which the index has its revision; columns of other tables are null without a row. */
type Row = StoredEvent & Readonly<{ indexed: number | null }>;

const SELECT_ROWS = `
  select ${EVENT_COLUMNS}, i.position as indexed
    from events e
    left join streams s
      on s.id = e.stream
    left join events i indexed by events_stream_revision
      on i.stream = e.stream and i.revision = e.revision`;

const rowsOf = (statement: Statement, ...parameters: readonly unknown[]): Row[] => {
  const rows = statement.all(parameters) as (EventRow & Pick<Row, 'indexed'>)[];
  return rows.map((row) => ({ ...eventOf(row), indexed: row.indexed }));
};

const flawOf = (row: Row): string | undefined => {
  const { position, indexed } = row;
  if (!isIntact(row)) return `the event at position ${position} is not what was written`;
  if (indexed !== position) return `the event at position ${position} is missing in the index`;
  return undefined;
};

const firstFlaw = (rows: readonly Row[]): string | undefined => {
  for (const [index, row] of rows.entries()) {
    const flaw = flawOf(row);
    if (flaw !== undefined) return flaw;
    const next = rows[index + 1];
    if (next && next.position !== row.position + row.frame.byteLength)
      return `events are missing after position ${row.position}`;
  }
  return undefined;
};

const tailFlaw = (db: Database): string | undefined => {
  const rows = rowsOf(db.prepare(`${SELECT_ROWS} order by e.position desc limit ${TAIL_EVENTS}`));
  return firstFlaw(rows.reverse());
};

/** Streams that their name does not lead to, and streams whose newest event in the index is not in the table. */
const streamsFlaw = (db: Database): string | undefined => {
  const [stream] = db
    .prepare(
      `select cast(s.name as blob) as name
         from streams s
         left join streams n indexed by sqlite_autoindex_streams_1
           on n.name = s.name
        where n.id is not s.id
           or not exists (
                select 1
                  from (select i.position
                          from events i indexed by events_stream_revision
                         where i.stream = s.id
                         order by i.revision desc
                         limit 1) newest
                 where newest.position <= (select max(position) from events))
        limit 1`,
    )
    .all() as { name: Blob | null }[];
  return stream && `stream ${textOf(stream.name)} is not what was written`;
};

const everyEventFlaw = (db: Database): string | undefined => {
  const page = db.prepare(
    `${SELECT_ROWS} where e.position >= ? order by e.position limit ${PAGE_EVENTS}`,
  );
  for (let from = 0; ;) {
    const rows = rowsOf(page, from);
    const isCut = from === 0 && rows[0] !== undefined && rows[0].position !== FIRST_POSITION;
    const flaw = isCut ? 'its first events are missing' : firstFlaw(rows);
    const last = rows.at(-1);
    if (flaw !== undefined || last === undefined || last.position === from) return flaw;
    from = last.position; // read again as the first of the next page, to compare its successor
  }
};

const structureFlaw = (db: Database): string | undefined => {
  const rows = db.prepare('pragma integrity_check(1)').raw().all() as [string][];
  const result = rows[0]?.[0];
  return result === 'ok' ? undefined : `SQLite reports ${result ?? 'nothing'}`;
};

/**
 * Refuses a log that does not hold what was written. The streams and the newest events are always verified; all
 * events, and the structure of the file, as `check` says or else when the file is small.
 * @throws StorageError
 */
export const checkLog = (
  db: Database,
  { file, check }: { file: string; check: boolean | undefined },
): void => {
  const everything = check ?? statSync(file).size <= SMALL_FILE_BYTES;
  const flaw =
    (everything ? (structureFlaw(db) ?? everyEventFlaw(db)) : tailFlaw(db)) ?? streamsFlaw(db);
  if (flaw !== undefined) throw damaged(file, flaw);
};
