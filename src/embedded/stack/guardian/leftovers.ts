import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeNote } from './note.js';
import { commandLine } from './process-table.js';

/** A process that was started on a data directory, and what proves that a living one is still it. */
export type Started = Readonly<{ pid: number; mark: string; stopSignal: NodeJS.Signals }>;

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
