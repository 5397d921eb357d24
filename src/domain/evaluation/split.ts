import { type Split } from '../flag/configuration.js';
import { bucketOf, cumulated, shareAt } from './bucket.js';
import { attributeReader, bucketingUnit, type Context, type ReadAttribute } from './context.js';
import { type HashPrefix, hashPrefix, murmur3 } from './murmur3.js';
import { spendOnText } from './work.js';

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
