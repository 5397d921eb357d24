import { crc32 } from 'node:zlib';
import { bufferOf, type Blob } from './blob.js';
import type { Database } from './sqlite.js';
import type { Place } from '../log/expected-revision.js';
import { StorageError } from './storage-error.js';

/** An event of the log as a read meets it; `frame` is there when the page could carry it in bounded memory. */
export type Entry = Readonly<{
  position: number;
  revision: number;
  type: string;
  stream: string;
  frame: Buffer | undefined;
}>;

/** Reads committed events, a page at a time; a page is empty when there is nothing (yet). */
export type LogReader = Readonly<{
  /** The position of the newest event, 0 in an empty log. */
  head: () => number;
  after: (position: number, limit: number) => readonly Entry[];
  /** Like `after`, without frames: for filters, which pass over most of what they see. */
  scanAfter: (position: number, limit: number) => readonly Entry[];
  scanBefore: (position: number, limit: number) => readonly Entry[];
  /** Revisions `from` to `to`, both inclusive; backwards when `from` is the larger. */
  inStream: (stream: number, from: number, to: number, limit: number) => readonly Entry[];
  placeAt: (stream: number, revision: number) => (Place & Readonly<{ id: string }>) | undefined;
  createdAt: (stream: number, revision: number) => number | undefined;
  /** @throws StorageError when the stored event is not what was written */
  frameAt: (position: number) => Buffer;
}>;

/** The largest event is smaller (1 MiB of body, names), so a window this long always holds the next one. */
const WINDOW_BYTES = 2 * 1024 * 1024;

type Stored = Readonly<{ position: number; crc: number; frame: Blob }>;

const verified = ({ position, crc, frame }: Stored): Buffer => {
  const bytes = bufferOf(frame);
  if (crc32(bytes) === crc) return bytes;
  throw new StorageError(
    `The event at position ${position} is damaged; restore the directory from a copy.`,
  );
};

const ENTRY = 'e.position, e.revision, e.type, s.name as stream';
const EVENTS = 'events e join streams s on s.id = e.stream';

const statements = (db: Database) => ({
  head: db.prepare('select coalesce(max(position), 0) as head from events'),
  after: db.prepare(
    `select ${ENTRY}, e.crc, e.frame
       from ${EVENTS}
      where e.position > ? and e.position <= ?
      order by e.position
      limit ?`,
  ),
  scanAfter: db.prepare(
    `select ${ENTRY} from ${EVENTS} where e.position > ? order by e.position limit ?`,
  ),
  scanBefore: db.prepare(
    `select ${ENTRY} from ${EVENTS} where e.position < ? order by e.position desc limit ?`,
  ),
  forwards: db.prepare(
    `select ${ENTRY}
       from ${EVENTS}
      where e.stream = ? and e.revision >= ? and e.revision <= ?
      order by e.revision
      limit ?`,
  ),
  backwards: db.prepare(
    `select ${ENTRY}
       from ${EVENTS}
      where e.stream = ? and e.revision <= ? and e.revision >= ?
      order by e.revision desc
      limit ?`,
  ),
  place: db.prepare(
    'select id, revision, position, created from events where stream = ? and revision = ?',
  ),
  frame: db.prepare('select position, crc, frame from events where position = ?'),
});

type StoredEntry = Omit<Entry, 'frame'> & Stored;

type PlaceRow = Place & Readonly<{ id: Blob; created: number }>;

/** Prepares the statements once; `head` is kept current by `refreshHead` after each commit. */
export const logReader = (db: Database): LogReader & Readonly<{ refreshHead: () => void }> => {
  const sql = statements(db);
  const readHead = () => (sql.head.all() as [{ head: number }])[0].head;
  let head = readHead();

  const placeRow = (stream: number, revision: number): PlaceRow | undefined =>
    (sql.place.all(stream, revision) as PlaceRow[])[0];

  return {
    head: () => head,
    refreshHead: () => {
      head = readHead();
    },
    after: (position, limit) => {
      const rows = sql.after.all(position, position + WINDOW_BYTES, limit) as StoredEntry[];
      return rows.map((row) => ({ ...row, frame: verified(row) }));
    },
    scanAfter: (position, limit) => sql.scanAfter.all(position, limit) as Entry[],
    scanBefore: (position, limit) => sql.scanBefore.all(position, limit) as Entry[],
    inStream: (stream, from, to, limit) => {
      const statement = from <= to ? sql.forwards : sql.backwards;
      return statement.all(stream, from, to, limit) as Entry[];
    },
    placeAt: (stream, revision) => {
      const row = placeRow(stream, revision);
      return row && { id: bufferOf(row.id).toString('hex'), revision, position: row.position };
    },
    createdAt: (stream, revision) => placeRow(stream, revision)?.created,
    frameAt: (position) => {
      const [row] = sql.frame.all([position]) as Stored[];
      if (!row) throw new StorageError(`The event at position ${position} is missing.`);
      return verified(row);
    },
  };
};
