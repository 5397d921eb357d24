import { DomainError } from '../../domain/decider.js';
import { requireValidAttribute } from '../../domain/targeting/valid-clauses.js';
import { type Serve, type Split, SPLIT_TOTAL } from '../../domain/flag/configuration.js';

/** A share in percent, in steps of 0.001. */
export type Share = Readonly<{ variant: string; percent: number }>;

const STEPS_PER_PERCENT = SPLIT_TOTAL / 100;

const toWeight = ({ variant, percent }: Share): number => {
  const weight = Math.round(percent * STEPS_PER_PERCENT);
  if (percent < 0 || Math.abs(weight - percent * STEPS_PER_PERCENT) > 1e-6) {
    throw new DomainError(
      'invalid-weight',
      `The share of '${variant}' is ${percent} %; shares are from 0 to 100 in steps of 0.001.`,
    );
  }
  return weight;
};

const sameVariants = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((variant) => right.includes(variant));

/** In the order of the split that holds now when it has the same variants, so that users stay where they are. */
const inPresentOrder = (shares: readonly Share[], present: Serve): readonly Share[] => {
  const order = 'split' in present ? present.split.weights.map(({ variant }) => variant) : [];
  const variants = shares.map(({ variant }) => variant);
  if (!sameVariants(order, variants)) return shares;
  return shares.toSorted((one, two) => order.indexOf(one.variant) - order.indexOf(two.variant));
};

/**
 * Shares as a stored split with a total of SPLIT_TOTAL.
 * @throws DomainError `invalid-weight`, `weights-not-100`, `duplicate-variant`, `invalid-clause` for a
 * bucketing attribute that is no path
 */
export const toSplit = (
  shares: readonly Share[],
  present: Serve,
  options: Readonly<{ bucketBy?: string; salt?: string }>,
): Split => {
  const weights = inPresentOrder(shares, present).map((share) => ({
    variant: share.variant,
    weight: toWeight(share),
  }));
  if (new Set(weights.map(({ variant }) => variant)).size < weights.length) {
    throw new DomainError('duplicate-variant', 'A variant has two shares in one split.');
  }
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  if (total !== SPLIT_TOTAL) {
    throw new DomainError(
      'weights-not-100',
      `The shares add up to ${total / STEPS_PER_PERCENT} %, not to 100 %.`,
    );
  }
  const { bucketBy = 'targetingKey', salt } = options;
  requireValidAttribute(bucketBy, 'bucketBy');
  return {
    weights,
    total,
    bucketBy,
    algorithm: 'murmur3-32',
    ...(salt === undefined ? {} : { salt }),
  };
};
