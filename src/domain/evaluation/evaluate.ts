import { bucketOf, shareAt } from './bucket.js';
import { type CompiledFlag, type CompiledSplit } from './compile.js';
import { bucketingUnit, type Context } from './context.js';
import { murmur3 } from './murmur3.js';

/** The share that the context's unit falls into; undefined when it has none: the split is skipped. */
const splitAnswer = <Answer>(
  split: CompiledSplit<Answer>,
  context: Context,
): Answer | undefined => {
  const unit = bucketingUnit(context, split.bucketBy);
  if (unit === undefined) return undefined;
  const bucket = bucketOf(murmur3(unit, split.salt), split.total);
  return split.answers[shareAt(split.sums, bucket)];
};

/**
 * What a flag answers for a context. Pure and total: no clock, no I/O, never throws.
 * In order: off (disabled, archived), individual targets, fallthrough.
 */
export const evaluate = <Answer extends object>(
  flag: CompiledFlag<Answer>,
  context: Context,
): Answer => {
  if (flag.constant !== undefined) return flag.constant;
  const targeted =
    context.targetingKey === undefined ? undefined : flag.targets.get(context.targetingKey);
  if (targeted !== undefined) return targeted;
  const shared = flag.split === undefined ? undefined : splitAnswer(flag.split, context);
  return shared ?? flag.fallthrough;
};
