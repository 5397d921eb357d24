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

/** How often a watch looks. */
const LOOK_MS = 100;

/**
 * Calls `onSilent` when nothing was heard for so long. It counts looks, not the clock: while this process itself was
 * busy, nobody was silent.
 */
export const silenceWatch = (silenceMs: number, onSilent: () => void) => {
  let looksLeft = silenceMs / LOOK_MS;
  const looking = setInterval(() => {
    looksLeft -= 1;
    if (looksLeft <= 0) onSilent();
  }, LOOK_MS);
  return {
    /** It may be silent for so long from now on. */
    heard: (nextSilenceMs: number): void => {
      looksLeft = nextSilenceMs / LOOK_MS;
    },
    stop: (): void => {
      clearInterval(looking);
    },
  };
};
