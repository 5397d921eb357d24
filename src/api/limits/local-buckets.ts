import { type Ask, type Budget, type Taken, takenOf } from './budget.js';

/** Buckets that are full again are forgotten when there are this many. */
const MANY = 10_000;

/** Token buckets of this process, in its memory; taking from one waits for nothing. `clock`: milliseconds. */
export const localBuckets = (clock: () => number = () => performance.now()) => {
  /** Key → when its bucket is full again. The oldest first. */
  const fullAt = new Map<string, number>();
  let sweepAt = MANY;

  const sweep = (now: number): void => {
    for (const [key, at] of fullAt) if (at <= now) fullAt.delete(key);
    sweepAt = Math.max(MANY, fullAt.size * 2);
  };

  const look = (key: string, budget: Budget, now: number): Taken => {
    const since = Math.max((fullAt.get(key) ?? now) - now, 0);
    return takenOf(since + 1000 / budget.perSecond, budget);
  };

  const keep = (key: string, { fullMs }: Taken, now: number): void => {
    fullAt.set(key, now + fullMs);
    if (fullAt.size > sweepAt) sweep(now);
  };

  return {
    take: (key: string, budget: Budget): Taken => {
      const now = clock();
      const taken = look(key, budget, now);
      if (taken.isAllowed) keep(key, taken, now);
      return taken;
    },

    /** From all or, when one refuses, from none. */
    takeAll: (asks: readonly Ask[]): readonly Taken[] => {
      const now = clock();
      const taken = asks.map(({ key, budget }) => [key, look(key, budget, now)] as const);
      const isAllowed = taken.every(([, one]) => one.isAllowed);
      if (isAllowed) for (const [key, one] of taken) keep(key, one, now);
      return taken.map(([, one]) => one);
    },

    size: (): number => fullAt.size,
  };
};

export type LocalBuckets = ReturnType<typeof localBuckets>;
