/** `perSecond` come back all the time; `burst` may be taken at once. */
export type Budget = Readonly<{ perSecond: number; burst: number }>;

/** One budget, and whose it is: `key` is unique among all budgets. */
export type Ask = Readonly<{ key: string; budget: Budget }>;

/** What became of an ask. Milliseconds. */
export type Taken = Readonly<{
  isAllowed: boolean;
  /** How many would still be allowed now. */
  remaining: number;
  /** Until one would be allowed; 0 when it is. */
  waitMs: number;
  /** Until all of the burst is there again. */
  fullMs: number;
  budget: Budget;
}>;

const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60 };

/** Reads `10/s`, `5/min` or, with a burst larger than that, `10/s:300`; undefined for `off`. */
export const parseBudget = (text: string): Budget | undefined => {
  const [, count, unit = '', burst = count] = /^(\d+)\/(s|min)(?::(\d+))?$/.exec(text) ?? [];
  const seconds = SECONDS[unit];
  if (seconds === undefined) return undefined;
  return { perSecond: Number(count) / seconds, burst: Number(burst) };
};

/** Times may be so much off by rounding. */
const SLACK_MS = 0.002;

/**
 * A token bucket told by one number: how long it would take to be full again after one more request. It is allowed
 * when that is not longer than filling the whole bucket takes (GCRA; ITU-T I.371, "virtual scheduling").
 */
export const takenOf = (fullMs: number, budget: Budget): Taken => {
  const intervalMs = 1000 / budget.perSecond;
  const leftMs = budget.burst * intervalMs - fullMs + SLACK_MS;
  if (leftMs < 0)
    return { isAllowed: false, remaining: 0, waitMs: -leftMs, fullMs: fullMs - intervalMs, budget };
  const remaining = Math.floor(leftMs / intervalMs);
  return { isAllowed: true, remaining, waitMs: 0, fullMs, budget };
};

/** The one of several that decides: the longest wait, else the least that remains. */
const tightest = (taken: readonly Taken[]): Taken | undefined =>
  taken.toSorted((a, b) => b.waitMs - a.waitMs || a.remaining - b.remaining)[0];

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

/**
 * Takes from buckets that all processes share: from all or from none. Answers, for each, after how many milliseconds
 * it would be full again with this request in it. Rejects soon when they cannot be reached.
 */
export type TakeShared = (asks: readonly Ask[]) => Promise<readonly number[]>;

/** Takes from the buckets that all processes share; while they are away, from those of this process. */
export const sharedBuckets = (takeShared: TakeShared) => {
  const local = localBuckets();

  const shared = async (asks: readonly Ask[]): Promise<readonly Taken[]> => {
    const fullMs = await takeShared(asks);
    return asks.map(({ budget }, nth) => takenOf(fullMs[nth] ?? 0, budget));
  };

  /** What decides; undefined when nothing is asked. Never rejects. */
  return async (asks: readonly Ask[]): Promise<Taken | undefined> => {
    if (asks.length === 0) return undefined;
    const taken = await shared(asks).catch(() => local.takeAll(asks));
    return tightest(taken);
  };
};
