import { cumulated, shareAt } from '../bucket.js';
import { murmur3 } from '../murmur3.js';
import { type Operator, valuesOf } from './term.js';

type Shares = Readonly<{ variants: readonly unknown[]; sums: readonly number[]; total: number }>;

const MAX_TOTAL = 2 ** 31 - 1;

/** `floor(hash × total / 2^32)`, exact for totals up to 2^31: each half of the hash is multiplied by itself. */
export const largeBucketOf = (hash: number, total: number): number => {
  const low = Math.floor(((hash & 0xffff) * total) / 0x10000);
  return Math.floor(((hash >>> 16) * total + low) / 0x10000);
};

type Share = Readonly<{ variant: unknown; weight: number }>;

const isVariant = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** `[variant]` or `[variant, weight]`; a weight below 0 is 0. */
const shareOf = (entry: unknown): Share | undefined => {
  if (!Array.isArray(entry) || entry.length === 0 || entry.length > 2) return undefined;
  const [variant, weight = 1] = entry as readonly unknown[];
  if (!isVariant(variant) || !Number.isInteger(weight)) return undefined;
  return { variant, weight: Math.max(0, Number(weight)) };
};

const sharesOf = (entries: readonly unknown[]): Shares | undefined => {
  const shares = entries.map(shareOf).filter((share) => share !== undefined);
  const sums = cumulated(shares.map(({ weight }) => weight));
  const total = sums.at(-1) ?? 0;
  if (shares.length < entries.length || total > MAX_TOTAL) return undefined;
  return { variants: shares.map(({ variant }) => variant), sums, total };
};

/**
 * `[what to hash?, [variant, weight], …]`: flagd's second generation of bucketing, on the UTF-8 bytes. Hashes the flag
 * key and the targeting key unless a text is given. Null when there is nothing to hash or a share is malformed.
 */
export const fractional: Operator = (operands) => {
  operands.readsContext();
  const { flagKey } = operands;
  const values = valuesOf(operands);
  return (context, item) => {
    const [first, ...rest] = values(context, item);
    const { targetingKey } = context;
    const isGiven = typeof first === 'string';
    const unit = isGiven ? first : targetingKey ? flagKey + targetingKey : undefined;
    const shares = sharesOf(isGiven ? rest : [first, ...rest]);
    if (unit === undefined || shares === undefined) return null;
    const index = shareAt(shares.sums, largeBucketOf(murmur3(unit), shares.total));
    return shares.variants[index] ?? null;
  };
};
