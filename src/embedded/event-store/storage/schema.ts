import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import Libsql from 'libsql';

/** A BLOB column as libsql returns it: a Buffer from `get`, a bare ArrayBuffer from `all`. */
export type Blob = Buffer | ArrayBuffer;

/** The bytes of a BLOB column, without copying them. */
export const bufferOf = (blob: Blob): Buffer =>
  blob instanceof ArrayBuffer ? Buffer.from(blob) : blob;

/** "CFes" in ASCII: marks the SQLite file as an event log of this server. */
const APPLICATION_ID = 0x43466573;

/** Raised with every change of the schema or the frames; a higher one is refused at opening. */
const FORMAT_VERSION = 1;

/** The log's file inside the database directory. */
export const LOG_FILE = 'events.db';

/** The position of the first event. */
export const FIRST_POSITION = 1;

/**
 * `position` is the running sum of frame sizes, as in EventStoreDB: the next position is always
 * `position + length(frame)`, which bounds reads by bytes and shows a missing row.
 * `frame` is the encoded ReadResp (frame.ts), `crc` its CRC-32, `created` milliseconds since the epoch.
 */
export const SCHEMA = `
  create table streams (
    id   integer primary key,
    name text not null,
    constraint streams_name_key unique (name)
  ) strict;

  create table events (
    position integer primary key,
    stream   integer not null references streams (id),
    revision integer not null,
    id       blob not null,
    type     text not null,
    created  integer not null,
    crc      integer not null,
    frame    blob not null
  ) strict;

  create unique index events_stream_revision on events (stream, revision);

  pragma application_id = ${APPLICATION_ID};
  pragma user_version = ${FORMAT_VERSION};
`;

/**
 * `damaged`: something stored is not what was written. `full`: no room on the disk. `failing`: the disk or the system
 * refuses to read or write. `unusable`: the log cannot be opened by this process as it is.
 */
export type StorageFault = 'damaged' | 'full' | 'failing' | 'unusable';

/** The log cannot be opened, read or written. The message says what is wrong and what to do about it. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly fault: StorageFault;
  constructor(fault: StorageFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** A file that cannot be opened because it does not hold what was written to it. */
export const damaged = (file: string, what: string, cause?: unknown): StorageError =>
  new StorageError(
    'damaged',
    `${file} is damaged: ${what}. Nothing was changed; restore the directory from a copy, or move it away to start empty.`,
    { cause },
  );

/** What a read meets that does not find what was written. */
export const lost = (what: string, cause?: unknown): StorageError =>
  new StorageError(
    'damaged',
    `The log is damaged: ${what}. Restore the directory from a copy; --check examines all of it.`,
    { cause },
  );

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/** @throws StorageError when the file was written by a newer version of this server. */
export const refuseNewerFormat = (file: string, version: number): void => {
  if (version > FORMAT_VERSION)
    throw new StorageError(
      'unusable',
      `${file} has format ${version}, this version reads up to ${FORMAT_VERSION}. Nothing was changed; start the newer version that wrote it.`,
    );
};

const walBytes = (file: string): number => {
  const wal = `${file}-wal`;
  return existsSync(wal) ? statSync(wal).size : 0;
};

/** After a clean stop the file must be as long as its header says; with a write-ahead log SQLite decides. */
const refuseTruncated = (file: string, header: Buffer, size: number): void => {
  const rawPageSize = header.readUInt16BE(16);
  const pageSize = rawPageSize === 1 ? 65536 : rawPageSize;
  const sizeIsValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  const expected = header.readUInt32BE(28) * pageSize;
  if (sizeIsValid && walBytes(file) === 0 && size !== expected)
    throw damaged(file, `it is ${size} bytes long instead of ${expected}`);
};

/**
 * Looks at the first 100 bytes before SQLite does, so that a foreign, cut or newer file is refused
 * untouched. Offsets: the SQLite file format, section 1.3. Must run before the database is opened:
 * closing any descriptor of the file drops the process's locks on it.
 * @throws StorageError
 */
export const checkHeader = (file: string): void => {
  const descriptor = openSync(file, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const read = readSync(descriptor, header, 0, HEADER_BYTES, 0);
    if (read < HEADER_BYTES || header.toString('latin1', 0, 16) !== MAGIC)
      throw damaged(file, 'it does not begin like an event log');
    if (header.readUInt32BE(68) !== APPLICATION_ID)
      throw new StorageError(
        'unusable',
        `${file} is an SQLite database but not an event log of this server. Nothing was changed; use another directory.`,
      );
    refuseNewerFormat(file, header.readUInt32BE(60));
    refuseTruncated(file, header, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
};

/** An open SQLite connection. */
export type Database = Libsql.Database;

/** A prepared statement. */
export type Statement = ReturnType<Database['prepare']>;

/** What SQLite's result codes say about the log. Source: sqlite.org/rescode.html. */
const FAULTS = [
  [/^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ|CONSTRAINT)/, 'damaged'],
  [/^SQLITE_FULL/, 'full'],
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH|BUSY|LOCKED)/, 'unusable'],
] as const;

/** The kind of fault behind an error of SQLite; an I/O error where it names none. */
export const faultOf = (error: InstanceType<typeof Libsql.SqliteError>) =>
  FAULTS.find(([codes]) => codes.test(error.code))?.[1] ?? 'failing';

/** After a failed fsync nobody knows what the disk holds, and asking again does not tell. */
export const isLasting = (error: unknown): boolean =>
  error instanceof Libsql.SqliteError && /FSYNC/.test(error.code);

const WRITING_TEXTS = {
  damaged: 'The event was not stored, because the log is damaged',
  full: 'The event was not stored, because there is no room on the disk of the event store',
  failing: 'The event was not stored, because the disk of the event store fails',
  unusable: 'The event was not stored, because the log cannot be written',
} as const;

/** Whatever a commit can throw, as a StorageError for the writers. */
export const writingError = (error: unknown): StorageError => {
  const text = error instanceof Error ? error.message : String(error);
  if (isLasting(error))
    return new StorageError(
      'failing',
      `Whether the event was stored is not known, because the disk of the event store fails: ${text}.`,
      { cause: error },
    );
  const fault = error instanceof Libsql.SqliteError ? faultOf(error) : 'failing';
  return new StorageError(fault, `${WRITING_TEXTS[fault]}: ${text}.`, { cause: error });
};

/** Whatever reading the log can throw, as a StorageError; a value that SQLite cannot hand over counts as damage. */
const readingError = (error: unknown): StorageError => {
  if (error instanceof StorageError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const fault = error instanceof Libsql.SqliteError ? faultOf(error) : 'damaged';
  return fault === 'damaged'
    ? lost(text, error)
    : new StorageError(fault, `The log cannot be read: ${text}.`, { cause: error });
};

/** All rows of a query. @throws StorageError */
export const rowsOf = <Row>(statement: Statement, ...parameters: readonly unknown[]): Row[] => {
  try {
    return statement.all(parameters) as Row[];
  } catch (error) {
    throw readingError(error);
  }
};
