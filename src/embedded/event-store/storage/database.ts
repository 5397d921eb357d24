import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Libsql from 'libsql';
import { lockFolder, orInUse, prepareFolder } from './directory.js';
import { checkLog } from './integrity.js';
import {
  checkHeader,
  damaged,
  type Database,
  faultOf,
  LOG_FILE,
  refuseNewerFormat,
  SCHEMA,
  StorageError,
  type StorageFault,
} from './schema.js';
import { checkWriteAheadLog } from './write-ahead-log.js';

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
const openingError = (error: unknown, file: string): unknown => {
  const fault = openingFault(error);
  if (error instanceof StorageError || fault === undefined) return error;
  const text = error instanceof Error ? error.message : String(error);
  return fault === 'damaged'
    ? damaged(file, text, error)
    : new StorageError(fault, TEXTS[fault](dirname(file), text), { cause: error });
};

const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
};

/** Creates the log under another name and renames it: a log is there wholly or not at all. */
const create = (folder: string, file: string): void => {
  const draft = `${file}.new`;
  for (const suffix of ['', '-journal', '-wal']) rmSync(draft + suffix, { force: true });
  const db = new Libsql(draft);
  db.exec(`pragma synchronous = full; begin; ${SCHEMA} commit;`);
  db.close();
  renameSync(draft, file);
  syncFolder(folder);
  syncFolder(dirname(folder));
};

const pragma = (db: Database, name: string): unknown => db.prepare(`pragma ${name}`).raw().all();

/** Locks the file as well: a tool that writes to it would not know of the lock of the directory. */
const lock = (db: Database, folder: string): void => {
  pragma(db, 'locking_mode = exclusive');
  orInUse(folder, () => {
    db.exec('begin exclusive');
    db.exec('commit');
  });
};

const refuseNewerSchema = (db: Database, file: string): void => {
  const [row] = db.prepare('select user_version as version from pragma_user_version').all() as [
    { version: number },
  ];
  refuseNewerFormat(file, row.version);
};

type Checked = Readonly<{ file: string; check: boolean | undefined }>;

const start = (db: Database, folder: string, options: Checked): void => {
  lock(db, folder);
  refuseNewerSchema(db, options.file);
  checkLog(db, options);
  pragma(db, 'journal_mode = wal');
  db.exec('pragma synchronous = full');
};

/** Looks at the files before SQLite does, which would repair what it can read of them and drop the rest. */
const checkFiles = (folder: string, file: string): void => {
  if (!existsSync(file)) {
    create(folder, file);
    return;
  }
  accessSync(file, constants.R_OK | constants.W_OK);
  checkHeader(file);
  checkWriteAheadLog(file);
};

const openLocked = (folder: string, options: Checked): Database => {
  checkFiles(folder, options.file);
  const db = new Libsql(options.file);
  try {
    start(db, folder, options);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

/**
 * Moves the write-ahead log into the file and gives the lock back, leaving exactly one file behind.
 * (The connection itself is freed only with its statements, so closing alone would keep the lock.)
 */
const closeDatabase = (db: Database): void => {
  try {
    pragma(db, 'journal_mode = delete');
    pragma(db, 'locking_mode = normal');
    db.prepare('select count(*) from streams where id = 0').all();
  } finally {
    db.close();
  }
};

/**
 * An open log. `close` leaves exactly one file behind; it throws a StorageError when it has to leave the write-ahead
 * log as well, which loses nothing.
 */
type OpenDatabase = Readonly<{ db: Database; file: string; close: () => void }>;

const closing = (db: Database, file: string, unlock: () => void) => (): void => {
  try {
    closeDatabase(db);
  } catch (error) {
    throw new StorageError(
      'failing',
      `${file}-wal could not be moved into ${file} and stays beside it: ${String(error)}. Nothing is lost; keep both files, the next start reads both.`,
      { cause: error },
    );
  } finally {
    unlock();
  }
};

/**
 * Opens the log in `folder`, creating both when missing. Files are written to only after every check.
 * `check` says whether all events are verified; undefined leaves it to the size of the file.
 * @throws StorageError when it is in use, damaged, foreign, of a newer format or not to be written
 */
export const openDatabase = (folder: string, check: boolean | undefined): OpenDatabase => {
  const file = join(folder, LOG_FILE);
  let unlock = (): void => undefined;
  try {
    prepareFolder(folder);
    unlock = lockFolder(folder);
    const db = openLocked(folder, { file, check });
    return { db, file, close: closing(db, file, unlock) };
  } catch (error) {
    unlock();
    throw openingError(error, file);
  }
};
