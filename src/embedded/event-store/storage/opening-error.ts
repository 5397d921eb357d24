import { dirname } from 'node:path';
import Libsql from 'libsql';
import { faultOf } from './sqlite.js';
import { damaged, StorageError, type StorageFault } from './storage-error.js';

const NO_ROOM = ['ENOSPC', 'EDQUOT'];

/** The kind of fault behind an error of Node or of SQLite at opening. */
const openingFault = (error: unknown): StorageFault | undefined => {
  if (error instanceof Libsql.SqliteError) return faultOf(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return /ConnectionFailed/.test(String(error)) ? 'unusable' : undefined;
  if (NO_ROOM.includes(code)) return 'full';
  return code === 'EIO' ? 'failing' : 'unusable';
};

/** What to say of each kind; the file itself is not to blame, except when it is damaged. */
const TEXTS: Record<Exclude<StorageFault, 'damaged'>, (folder: string, text: string) => string> = {
  full: (folder, text) =>
    `There is no room on the disk of ${folder}: ${text}. Nothing was changed; make room and start again.`,
  failing: (folder, text) =>
    `The disk of ${folder} cannot be read or written: ${text}. Nothing was changed; look for errors of the disk in the system's log.`,
  unusable: (folder, text) =>
    `${folder} cannot be opened for writing: ${text}. Nothing was changed; the event store must own the directory and its files, and they must not be read-only.`,
};

/** Whatever opening a log can throw, as one line that says what is wrong and what to do. */
export const openingError = (error: unknown, file: string): unknown => {
  const fault = openingFault(error);
  if (error instanceof StorageError || fault === undefined) return error;
  const text = error instanceof Error ? error.message : String(error);
  return fault === 'damaged'
    ? damaged(file, text, error)
    : new StorageError(fault, TEXTS[fault](dirname(file), text), { cause: error });
};
