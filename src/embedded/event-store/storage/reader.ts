import { pagesOfAll, pagesOfStream, type Entry, type FullEntry, type IsPending } from './pages.js';
import { rowsOf, type Database } from './sqlite.js';
import { FIRST_POSITION } from './schema.js';
import { lost } from './storage-error.js';
import { EVENT_COLUMNS, eventsOf, idHexOf, intactFrame, type StoredEvent } from './stored-event.js';

export type { Entry } from './pages.js';

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
