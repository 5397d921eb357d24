import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { writeNote } from './note.js';
import { isAlive } from './process-table.js';

/** Who works on a data directory: the service's process, and whether it is being stopped already. */
export type Owner = Readonly<{ pid: number; isStopping: boolean }>;

const RETRY_MS = 25;
const LEFTOVER_WAIT_MS = 60_000;

const ownerFile = (dataDirectory: string): string => join(dataDirectory, 'owner.json');

/** Tells other starts on the directory who has it. */
export const writeOwner = (dataDirectory: string, owner: Owner): void => {
  writeNote(ownerFile(dataDirectory), owner);
};

const readOwner = (dataDirectory: string): Owner | undefined => {
  try {
    return JSON.parse(readFileSync(ownerFile(dataDirectory), 'utf8')) as Owner;
  } catch {
    return undefined; // not there yet: its owner has only just taken the lock
  }
};

// SQLite's lock is the kernel's (fcntl): it ends with the process that holds it, however that ends, so it can be
// neither stale nor taken over by two at once, which pid files and bound sockets can.
const held: Database.Database[] = []; // never collected, so never closed

const tryLock = (dataDirectory: string): boolean => {
  const database = new Database(join(dataDirectory, 'stack.lock'));
  try {
    database.exec('pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive');
    held.push(database);
    return true;
  } catch (error) {
    database.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return false;
    throw error;
  }
};

const isWorking = (owner: Owner | undefined): boolean =>
  owner !== undefined && !owner.isStopping && isAlive(owner.pid);

/**
 * Takes the data directory for this process, until it ends. One whose owner has died or is stopping is waited for.
 * Gives the other owner's process id when the directory is in use.
 */
export const lockDataDirectory = async (dataDirectory: string): Promise<'locked' | number> => {
  const giveUpAt = Date.now() + LEFTOVER_WAIT_MS;
  while (!tryLock(dataDirectory)) {
    const owner = readOwner(dataDirectory);
    if (isWorking(owner) || Date.now() > giveUpAt) return owner?.pid ?? 0;
    await delay(RETRY_MS);
  }
  return 'locked';
};
