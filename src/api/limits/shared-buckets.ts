import { type Ask, type Taken, takenOf, tightest } from './budget.js';
import { localBuckets } from './local-buckets.js';

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

export type TakeFromAll = ReturnType<typeof sharedBuckets>;
