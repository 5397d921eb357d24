import { setTimeout as delay } from 'node:timers/promises';

/** Rejects with the given error when the work takes longer than `timeoutMs`; the work itself goes on. */
export const withDeadline = async <T>(
  work: Promise<T>,
  timeoutMs: number,
  toError: () => Error,
): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(toError());
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Resolves after the time, or as soon as the signal aborts; never rejects. `ref: false` lets the process end meanwhile. */
export const pause = (
  ms: number,
  { signal, ref = true }: Readonly<{ signal?: AbortSignal | undefined; ref?: boolean }> = {},
): Promise<void> => delay(ms, undefined, { ref, signal }).catch(() => undefined);

type Repeating = Readonly<{
  /** From the end of one run to the next. Milliseconds. */
  everyMs: number;
  signal: AbortSignal;
  /** @defaultValue at once */
  first?: 'at once' | 'after a pause';
}>;

/** Works again and again until the signal aborts. A run that failed is made up for by the next. */
export const repeat = async (
  work: () => Promise<unknown>,
  { everyMs, signal, first = 'at once' }: Repeating,
): Promise<void> => {
  if (first === 'after a pause') await pause(everyMs, { signal });
  while (!signal.aborted) {
    await work().catch(() => undefined);
    await pause(everyMs, { signal });
  }
};

/** How often a watch looks. */
const SILENCE_LOOK_MS = 100;

/**
 * Calls `onSilent` when nothing was heard for so long. It counts looks, not the clock: while this process itself was
 * busy, nobody was silent.
 */
export const silenceWatch = (silenceMs: number, onSilent: () => void) => {
  let looksLeft = silenceMs / SILENCE_LOOK_MS;
  const looking = setInterval(() => {
    looksLeft -= 1;
    if (looksLeft <= 0) onSilent();
  }, SILENCE_LOOK_MS);
  return {
    /** It may be silent for so long from now on. */
    heard: (nextSilenceMs: number): void => {
      looksLeft = nextSilenceMs / SILENCE_LOOK_MS;
    },
    stop: (): void => {
      clearInterval(looking);
    },
  };
};

/** How long one look may take before the next is not kept waiting for it. */
const LOOK_MS = 2_000;

type LookingOptions = Readonly<{
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

  const polling = repeat(lookNow, { everyMs, signal: closing.signal, first: 'after a pause' });
  return {
    lookNow,
    close: async (): Promise<void> => {
      closing.abort();
      await polling;
      await looking.catch(() => undefined);
    },
  };
};
