import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import Libsql from 'libsql';
import { StorageError } from './schema.js';

const LOCK_FILE = 'events.lock';

/** Like `mkdir -p`. (Node's own recursive mkdir never returns where nothing can be created, as below /proc.) */
const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
};

/**
 * Makes the directory of a log unless it is there.
 * @throws StorageError when it is no directory, or not one to write in
 */
export const prepareFolder = (folder: string): void => {
  makeFolder(resolve(folder));
  if (!statSync(folder).isDirectory())
    throw new StorageError('unusable', `${folder} is not a directory. Choose another with --db.`);
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
};

const inodeOf = (file: string): number | undefined =>
  statSync(file, { throwIfNoEntry: false })?.ino;

const createLock = (file: string): void => {
  try {
    closeSync(openSync(file, 'wx'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
};

const isBusy = (error: unknown): boolean =>
  error instanceof Libsql.SqliteError && error.code === 'SQLITE_BUSY';

const inUse = (folder: string, cause: unknown): StorageError =>
  new StorageError(
    'unusable',
    `${folder} is in use by another event store. Stop that one, or use another directory.`,
    { cause },
  );

/** Runs what needs a lock of SQLite's. @throws StorageError when another process has it */
export const orInUse = (folder: string, takeLock: () => void): void => {
  try {
    takeLock();
  } catch (error) {
    throw isBusy(error) ? inUse(folder, error) : error;
  }
};

/** Undefined when the lock was taken on a file that its last owner has removed meanwhile. */
const tryLock = (folder: string): (() => void) | undefined => {
  const file = join(folder, LOCK_FILE);
  createLock(file);
  const inode = inodeOf(file);
  const db = new Libsql(file);
  try {
    orInUse(folder, () => {
      db.exec('pragma journal_mode = memory; begin exclusive');
    });
  } catch (error) {
    db.close();
    throw error;
  }
  const isCurrent = inode !== undefined && inodeOf(file) === inode;
  const release = () => {
    if (isCurrent) rmSync(file, { force: true });
    db.exec('rollback'); // a commit would write a first page
    db.close();
  };
  if (isCurrent) return release;
  release();
  return undefined;
};

/**
 * Keeps every other process out of the directory until the returned function is called; the kernel does that when
 * this process dies. It comes before anything is created, looked at or recovered there. (SQLite brings the lock,
 * because Node has none: a transaction that is left open on an empty file.)
 * @throws StorageError when another event store has it
 */
export const lockFolder = (folder: string): (() => void) => {
  for (;;) {
    const release = tryLock(folder);
    if (release) return release;
  }
};
