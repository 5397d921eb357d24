import { TOMBSTONE_REVISION } from '../wire/frame.js';
import { type Database, FIRST_POSITION, lost, rowsOf } from './schema.js';
import {
  EVENT_COLUMNS,
  eventsOf,
  HEAD_COLUMNS,
  headsOf,
  idHexOf,
  intactFrame,
  type StoredEvent,
  type StoredHead,
} from './stored-event.js';

/** An event of the log as a read meets it; pages of `$all` bring the frame along. */
export type Entry = StoredHead & Readonly<{ frame?: Buffer | undefined }>;

/** An entry whose frame has been read. */
type FullEntry = Entry & Readonly<{ frame: Buffer }>;

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
const pagesOfAll = (db: Database, end: () => number) => {
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
type IsPending = (stream: number, revision: number) => boolean;

/** The pages of a stream. A revision that is missing must be one that is not committed yet. */
const pagesOfStream = (db: Database, isPending: IsPending) => {
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

/** An event of a stream, found by its revision. */
type Placed = Readonly<{
  id: string;
  revision: number;
  position: number;
  createdMs: number;
  frame: Buffer;
}>;

/**
 * Reads committed events, a page at a time; a page is empty when there is nothing (yet). Every page knows which
 * position or revision must come next, so a hole or a repeated row is an error and never the end.
 * Everything here throws StorageError where the log does not hold what was written.
 */
export type LogReader = Readonly<{
  /** The position of the newest event, 0 in an empty log. */
  head: () => number;
  /** The position that the next event will have. */
  end: () => number;
  /** The first position not before `position` at which an event begins, or `end()`. */
  boundaryFrom: (position: number) => number;
  /** The events from the one that begins at `position` on. */
  from: (position: number, limit: number) => readonly FullEntry[];
  /** The events that end before `position`, which is a boundary; the newest first. */
  before: (position: number, limit: number) => readonly FullEntry[];
  /** Revisions `from` to `to`, both inclusive; backwards when `from` is the larger. */
  inStream: (stream: number, from: number, to: number, limit: number) => readonly Entry[];
  /** The event with this revision; undefined when there is none (yet). */
  placeAt: (stream: number, revision: number) => Placed | undefined;
  /** The frame of an event that a page has found. */
  frameOf: (entry: Entry) => Buffer;
}>;

const statements = (db: Database) => ({
  newest: db.prepare(
    'select position, position + length(frame) as next from events order by position desc limit 1',
  ),
  place: db.prepare(
    `select ${EVENT_COLUMNS}
       from events e join streams s on s.id = e.stream
      where e.stream = ? and e.revision = ?`,
  ),
  frame: db.prepare(`select cast(crc as integer) as crc, cast(frame as blob) as frame
       from events
      where position = ?`),
});

/**
 * Prepares the statements once; `refreshEnd` is due after each commit. `isPending` says of what is not committed yet
 * that it has been accepted.
 */
export const logReader = (
  db: Database,
  isPending: IsPending,
): LogReader & Readonly<{ refreshEnd: () => void }> => {
  const sql = statements(db);
  const newest = () => {
    const [row] = rowsOf<{ position: number; next: number }>(sql.newest);
    return row ?? { position: 0, next: FIRST_POSITION };
  };
  let { position: head, next: end } = newest();
  const { forwards, backwards } = pagesOfStream(db, isPending);

  return {
    head: () => head,
    end: () => end,
    refreshEnd: () => {
      ({ position: head, next: end } = newest());
    },
    ...pagesOfAll(db, () => end),
    inStream: (stream, from, to, limit) =>
      from <= to ? forwards(stream, from, to, limit) : backwards(stream, from, to, limit),
    placeAt: (stream, revision) => {
      const [row] = eventsOf(sql.place, stream, revision);
      return row && { ...row, id: idHexOf(row), frame: intactFrame(row) };
    },
    frameOf: (entry) => {
      if (entry.frame) return entry.frame;
      const [row] = rowsOf<Pick<StoredEvent, 'crc' | 'frame'>>(sql.frame, entry.position);
      if (!row) throw lost(`no event begins at position ${entry.position}`);
      return intactFrame({ ...entry, ...row });
    },
  };
};
