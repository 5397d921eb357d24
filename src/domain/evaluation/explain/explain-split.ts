import { type Split, wholeVariant } from '../../flag/configuration.js';
import { bucketOf, cumulated, shareAt } from '../bucket.js';
import { attributeReader, bucketingUnit, type Context } from '../context.js';
import { hashPrefix, murmur3 } from '../murmur3.js';
import { type SplitExplanation } from './explanation.js';

export const explainSplit = (
  split: Split,
  flagSalt: string,
  context: Context,
): SplitExplanation => {
  const { algorithm, bucketBy, weights, total, salt = flagSalt } = split;
  const about = { algorithm, bucketBy, salt, weights, total };
  const unit = bucketingUnit(attributeReader(bucketBy)(context));
  const whole = wholeVariant(split);
  if (unit === undefined) return { ...about, ...(whole !== undefined && { variant: whole }) };
  const hash = murmur3(unit, hashPrefix(salt));
  const bucket = bucketOf(hash, total);
  const variant = weights[shareAt(cumulated(weights.map(({ weight }) => weight)), bucket)]?.variant;
  return { ...about, unit, hash, bucket, ...(variant !== undefined && { variant }) };
};
