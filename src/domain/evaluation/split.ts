import { type Split } from '../flag/configuration.js';
import { attributeReader, bucketingUnit, type Context, type ReadAttribute } from './context.js';
import { type HashPrefix, hashPrefix, murmur3 } from './murmur3.js';
import { spendOnText } from './work.js';

/** The bucket of a hash, 0 to total − 1. Exact in doubles while `total` is at most 2^20 (2^32 × 2^20 < 2^53). */
export const bucketOf = (hash: number, total: number): number =>
  Math.floor((hash * total) / 2 ** 32);

/** Running sums: the variant at an index owns the buckets below its sum and not below the one before. */
export const cumulated = (weights: readonly number[]): readonly number[] => {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
};

/** The index of the first share whose running sum exceeds the bucket; −1 when the shares end before it. */
export const shareAt = (sums: readonly number[], bucket: number): number => {
  for (let index = 0; index < sums.length; index += 1) {
    if ((sums[index] ?? 0) > bucket) return index;
  }
  return -1;
};

/** Shares of a split with all that can be known before the bucketing value is. */
export type CompiledSplit<Answer> = Readonly<{
  total: number;
  readUnit: ReadAttribute;
  salt: HashPrefix;
  sums: readonly number[];
  answers: readonly Answer[];
}>;

export const compileSplit = <Answer>(
  split: Split,
  flagSalt: string,
  answer: (variant: string) => Answer,
): CompiledSplit<Answer> => ({
  total: split.total,
  readUnit: attributeReader(split.bucketBy),
  salt: hashPrefix(split.salt ?? flagSalt),
  sums: cumulated(split.weights.map(({ weight }) => weight)),
  answers: split.weights.map(({ variant }) => answer(variant)),
});

/** The share that the context's unit falls into; undefined when it has no unit: the split is skipped. */
export const splitAnswer = <Answer>(
  { total, readUnit, salt, sums, answers }: CompiledSplit<Answer>,
  context: Context,
): Answer | undefined => {
  const unit = bucketingUnit(readUnit(context));
  if (unit === undefined) return undefined;
  spendOnText(unit.length);
  const bucket = bucketOf(murmur3(unit, salt), total);
  return answers[shareAt(sums, bucket)];
};
