import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';

/**
 * Writes something for a later start to read, if it can. On a full disk or in a folder that somebody has removed it
 * cannot; that must not keep the guardian from its duty to end the services.
 */
const writeNote = (file: string, content: unknown): void => {
  try {
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify(content), { mode: 0o600 });
    renameSync(fresh, file); // in one step: readers never see half a note
  } catch {
    // the note is missing then: a later start cannot tell who has the directory, nor find what was left running
  }
};

/** Whether a process with this id exists (also one of another user). */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Arguments or title of a process, empty when it is gone. `ps` where there is no /proc (macOS). */
export const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    if (process.platform === 'linux') return '';
  }
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return ''; // ps exits 1 for a process that is gone
  }
};

/** A process that was started on a data directory, and what proves that a living one is still it. */
type Started = Readonly<{ pid: number; mark: string; stopSignal: NodeJS.Signals }>;

const GRACE_MS = 10_000;
const POLL_MS = 25;

const recordFile = (dataDirectory: string): string => join(dataDirectory, 'processes.json');

/** Notes what runs on the directory, for `stopLeftovers` of a later start. */
export const recordProcesses = (dataDirectory: string, processes: readonly Started[]): void => {
  writeNote(recordFile(dataDirectory), processes);
};

const recorded = (dataDirectory: string): readonly Started[] => {
  try {
    return JSON.parse(readFileSync(recordFile(dataDirectory), 'utf8')) as readonly Started[];
  } catch {
    return []; // never written: the first start here
  }
};

const lives = ({ pid, mark }: Started): boolean => commandLine(pid).includes(mark);

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // gone by itself in the meantime
  }
};

const stop = async (leftover: Started): Promise<void> => {
  const killAt = Date.now() + GRACE_MS;
  if (lives(leftover)) signal(leftover.pid, leftover.stopSignal);
  while (lives(leftover)) {
    if (Date.now() > killAt) signal(leftover.pid, 'SIGKILL');
    await delay(POLL_MS);
  }
};

/**
 * Ends what an earlier guardian left running because it was killed itself. Call it with the directory's lock held.
 * A process id that now belongs to another program is left alone.
 */
export const stopLeftovers = async (dataDirectory: string): Promise<void> => {
  await Promise.all(recorded(dataDirectory).map(stop));
};

/** Who works on a data directory: the service's process, and whether it is being stopped already. */
type Owner = Readonly<{ pid: number; isStopping: boolean }>;

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
