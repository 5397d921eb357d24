import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition; fails only after a time that no healthy run needs. */
export const until = async (
  what: string,
  isMet: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> => {
  const giveUpAt = performance.now() + seconds * 1_000;
  while (!(await isMet())) {
    if (performance.now() > giveUpAt) throw new Error(`Waited in vain: ${what}`);
    await delay(2);
  }
};
