import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from './deadline.js';

/** How long one look may take before the next is not kept waiting for it. */
const LOOK_MS = 2_000;

export type LookingOptions = Readonly<{
  look: () => Promise<void>;
  /** From the end of a look to the next. Milliseconds. */
  everyMs: number;
}>;

/**
 * Keeps something as it is elsewhere: looks again and again, and whenever it is told to. Looks come one after the other,
 * so that one that began earlier never overwrites what a later one found. A failed look is made up for by the next.
 */
export const keepLooking = ({ look, everyMs }: LookingOptions) => {
  const closing = new AbortController();
  let looking: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;

  const inTime = (): Promise<void> => {
    waiting = undefined;
    return withDeadline(look(), LOOK_MS, () => new Error('Looking took too long.'));
  };

  /** Settles after a look that began after the call; those who ask meanwhile share it. */
  const lookNow = (): Promise<void> => {
    if (waiting === undefined) {
      waiting = looking.catch(() => undefined).then(inTime);
      looking = waiting;
    }
    return waiting;
  };

  const poll = async (): Promise<void> => {
    for (;;) {
      await delay(everyMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      await lookNow().catch(() => undefined);
    }
  };

  const polling = poll();
  return {
    lookNow,
    close: async (): Promise<void> => {
      closing.abort();
      await polling;
      await looking.catch(() => undefined);
    },
  };
};

export type Looking = ReturnType<typeof keepLooking>;
