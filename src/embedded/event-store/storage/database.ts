import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Libsql from 'libsql';
import type { Database } from './sqlite.js';
import { checkHeader, refuseNewerFormat } from './header.js';
import { checkLog } from './integrity.js';
import { LOG_FILE, SCHEMA } from './schema.js';
import { damaged, StorageError } from './storage-error.js';

const CHECKPOINT_PAGES = 4000;

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

/** Takes the lock that lasts until `closeDatabase`; the kernel frees it when the process dies. */
const lock = (db: Database, folder: string): void => {
  pragma(db, 'locking_mode = exclusive');
  try {
    db.exec('begin exclusive');
    db.exec('commit');
  } catch (error) {
    if (error instanceof Libsql.SqliteError && error.code === 'SQLITE_BUSY')
      throw new StorageError(
        'unusable',
        `${folder} is in use by another event store. Stop that one, or use another directory.`,
        { cause: error },
      );
    throw error;
  }
};

const refuseNewerSchema = (db: Database, file: string): void => {
  const [row] = db.prepare('select user_version as version from pragma_user_version').all() as [
    { version: number },
  ];
  refuseNewerFormat(file, row.version);
};

const start = (
  db: Database,
  folder: string,
  options: { file: string; check: boolean | undefined },
): void => {
  lock(db, folder);
  refuseNewerSchema(db, options.file);
  checkLog(db, options);
  pragma(db, 'journal_mode = wal');
  pragma(db, `wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.exec('pragma synchronous = full');
};

const asStorageError = (error: unknown, file: string): unknown =>
  error instanceof Libsql.SqliteError ? damaged(file, error.message, error) : error;

/**
 * Opens the log in `folder`, creating both when missing. Files are written to only after every check.
 * `check` says whether all events are verified; undefined leaves it to the size of the file.
 * @throws StorageError when it is in use, damaged, foreign or of a newer format
 */
export const openDatabase = (folder: string, check: boolean | undefined): Database => {
  const file = join(folder, LOG_FILE);
  mkdirSync(folder, { recursive: true });
  if (existsSync(file)) checkHeader(file);
  else create(folder, file);

  const db = new Libsql(file);
  try {
    start(db, folder, { file, check });
    return db;
  } catch (error) {
    db.close();
    throw asStorageError(error, file);
  }
};

/**
 * Moves the write-ahead log into the file and gives the lock back, leaving exactly one file behind.
 * (The connection itself is freed only with its statements, so closing alone would keep the lock.)
 */
export const closeDatabase = (db: Database): void => {
  pragma(db, 'journal_mode = delete');
  pragma(db, 'locking_mode = normal');
  db.prepare('select count(*) from streams where id = 0').all();
  db.close();
};
