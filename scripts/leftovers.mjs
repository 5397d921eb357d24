// Finds processes that a test run has left behind (Linux; elsewhere none are found).
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 5_000;
const POLL_MS = 50;

const attempt = (read) => {
  try {
    return read();
  } catch {
    return ''; // gone, or another user's
  }
};

const describe = (pid) =>
  attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');

/**
 * Processes whose environment has `marker` or that work in or on one of `folders`, as { pid, command }. Postgres and
 * Redis write over their environment, but the one has its folder in its arguments and the other is in its folder.
 */
const belonging = (marker, folders) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({ pid: Number(pid), command: describe(pid) }))
    .filter(({ pid, command }) => {
      const isMarked = attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8')).includes(marker);
      const place = attempt(() => readlinkSync(`/proc/${pid}/cwd`));
      return (
        isMarked || folders.some((folder) => place.startsWith(folder) || command.includes(folder))
      );
    });

/** Starts to watch; the function it gives waits for the new ones to end and resolves with those that do not. */
export const watchForLeftovers = (marker, folders) => {
  if (!existsSync('/proc/self/environ')) return async () => [];
  const before = new Set(belonging(marker, folders).map(({ pid }) => pid));
  return async () => {
    const giveUpAt = Date.now() + PATIENCE_MS;
    for (;;) {
      const left = belonging(marker, folders).filter(({ pid }) => !before.has(pid));
      if (left.length === 0 || Date.now() > giveUpAt) return left;
      await delay(POLL_MS);
    }
  };
};
