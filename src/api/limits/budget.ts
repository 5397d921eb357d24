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

/** Of `10/s`, `5/min` or, with a burst larger than that, `10/s:300`; undefined for `off`. */
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
export const tightest = (taken: readonly Taken[]): Taken | undefined =>
  taken.toSorted((a, b) => b.waitMs - a.waitMs || a.remaining - b.remaining)[0];
