import { bucketOf, shareAt } from '../bucket.js';
import { bucketingUnit, type Context } from '../context.js';
import { hashPrefix, murmur3 } from '../murmur3.js';
import { type CompiledSplit } from '../split.js';
import { type SplitExplanation } from './explanation.js';

export const explainSplit = <Answer>(
  { split, readUnit, sums }: CompiledSplit<Answer>,
  flagSalt: string,
  context: Context,
): SplitExplanation => {
  const { algorithm, bucketBy, weights, total, salt = flagSalt } = split;
  const about = { algorithm, bucketBy, salt, weights, total };
  const unit = bucketingUnit(readUnit(context));
  if (unit === undefined) return about;
  const hash = murmur3(unit, hashPrefix(salt));
  const bucket = bucketOf(hash, total);
  const variant = weights[shareAt(sums, bucket)]?.variant;
  return { ...about, unit, hash, bucket, ...(variant !== undefined && { variant }) };
};
