import { TOMBSTONE_REVISION } from '../wire/frame.js';
import { FIRST_POSITION } from './schema.js';
import { rowsOf, type Database } from './sqlite.js';
import { lost } from './storage-error.js';
import {
  EVENT_COLUMNS,
  eventsOf,
  HEAD_COLUMNS,
  headsOf,
  intactFrame,
  type StoredEvent,
  type StoredHead,
} from './stored-event.js';

/** An event of the log as a read meets it; pages of `$all` bring the frame along. */
export type Entry = StoredHead & Readonly<{ frame?: Buffer | undefined }>;

/** An entry whose frame has been read. */
export type FullEntry = Entry & Readonly<{ frame: Buffer }>;

/** Bounds what a page of `$all` holds in memory: this and one event, because a page begins with the next event. */
const WINDOW_BYTES = 512 * 1024;

const EVENTS = 'events e join streams s on s.id = e.stream';

const allStatements = (db: Database) => ({
  boundary: db.prepare(
    `select position + length(frame) as next
       from events
      where position < ?
      order by position desc
      limit 1`,
  ),
  from: db.prepare(
    `select ${EVENT_COLUMNS}
       from ${EVENTS}
      where e.position >= ? and e.position < ?
      order by e.position
      limit ?`,
  ),
  before: db.prepare(
    `select ${EVENT_COLUMNS}
       from ${EVENTS}
      where e.position < ?1
        and e.position >= min(?2, (select max(position) from events where position < ?1))
      order by e.position desc
      limit ?3`,
  ),
});

const streamStatements = (db: Database) => ({
  forwards: db.prepare(
    `select ${HEAD_COLUMNS}
       from ${EVENTS}
      where e.stream = ? and e.revision >= ? and e.revision <= ?
      order by e.revision
      limit ?`,
  ),
  backwards: db.prepare(
    `select ${HEAD_COLUMNS}
       from ${EVENTS}
      where e.stream = ? and e.revision <= ? and e.revision >= ?
      order by e.revision desc
      limit ?`,
  ),
});

const fullEntry = (row: StoredEvent): FullEntry => ({ ...row, frame: intactFrame(row) });

/** The pages of `$all`; `end` is the position that the next event will have. */
export const pagesOfAll = (db: Database, end: () => number) => {
  const sql = allStatements(db);
  return {
    boundaryFrom: (position: number): number => {
      if (position <= FIRST_POSITION) return FIRST_POSITION;
      if (position >= end()) return end();
      const [row] = rowsOf<{ next: number }>(sql.boundary, position);
      return row?.next ?? FIRST_POSITION;
    },
    from: (position: number, limit: number): readonly FullEntry[] => {
      if (position >= end()) return [];
      const rows = eventsOf(sql.from, position, position + WINDOW_BYTES, limit);
      let expected = position;
      const page = rows.map((row) => {
        if (row.position !== expected) throw lost(`no event begins at position ${expected}`);
        const entry = fullEntry(row);
        expected += entry.frame.length;
        return entry;
      });
      if (page.length === 0) throw lost(`no event begins at position ${position}`);
      return page;
    },
    before: (position: number, limit: number): readonly FullEntry[] => {
      if (position <= FIRST_POSITION) return [];
      const rows = eventsOf(sql.before, position, position - WINDOW_BYTES, limit);
      let expected = position;
      const page = rows.map((row) => {
        const entry = fullEntry(row);
        if (entry.position + entry.frame.length !== expected)
          throw lost(`no event ends before position ${expected}`);
        expected = entry.position;
        return entry;
      });
      if (page.length === 0) throw lost(`no event ends before position ${position}`);
      return page;
    },
  };
};

/** Whether an event has been accepted that is not committed yet. */
export type IsPending = (stream: number, revision: number) => boolean;

/** The pages of a stream. A revision that is missing must be one that is not committed yet. */
export const pagesOfStream = (db: Database, isPending: IsPending) => {
  const sql = streamStatements(db);
  const forwards = (stream: number, from: number, to: number, limit: number): Entry[] => {
    const rows = headsOf(sql.forwards, stream, from, to, limit);
    let expected = from;
    for (const { revision } of rows) {
      if (revision !== expected && revision !== TOMBSTONE_REVISION)
        throw lost(`revision ${expected} of a stream is missing`);
      expected = revision + 1;
    }
    const isWhole = rows.length === limit || expected > to;
    if (!isWhole && !isPending(stream, expected) && !isPending(stream, to))
      throw lost(`revision ${expected} of a stream is missing`);
    return rows;
  };

  const backwards = (stream: number, from: number, to: number, limit: number): Entry[] => {
    const rows = headsOf(sql.backwards, stream, from, to, limit);
    let expected = from;
    while (expected >= to && isPending(stream, expected)) expected--;
    for (const { revision } of rows) {
      if (revision !== expected) throw lost(`revision ${expected} of a stream is missing`);
      expected--;
    }
    if (rows.length < limit && expected >= to)
      throw lost(`revision ${expected} of a stream is missing`);
    return rows;
  };
  return { forwards, backwards };
};
