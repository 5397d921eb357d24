import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../deadline.js';
import { type ErasureTable } from './erasure-table.js';

/** So long this process may remember somebody who was erased in another. */
const POLL_MS = 400;
const POSTGRES_MS = 2_000;

/** Looks for erasures, by whatever process, and tells of them once it knows. */
export const erasureWatch = ({ count }: Pick<ErasureTable, 'count'>, onErased: () => void) => {
  const closing = new AbortController();
  let seen = -1;

  const look = async (): Promise<void> => {
    const now = await withDeadline(count(), POSTGRES_MS, () => new Error('Postgres is silent.'));
    // Also after the first look: what was remembered before it may be older than the last erasure.
    if (now !== seen) onErased();
    seen = now;
  };
  const poll = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await look().catch(() => undefined);
      await delay(POLL_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  const polling = poll();
  return {
    stop: async (): Promise<void> => {
      closing.abort();
      await polling;
    },
  };
};
