import Libsql from 'libsql';
import { lost, StorageError } from './storage-error.js';

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
