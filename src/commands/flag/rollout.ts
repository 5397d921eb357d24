import { type Command, DomainError } from '../../domain/decider.js';
import {
  type Serve,
  type Split,
  SPLIT_TOTAL,
  type Variant,
} from '../../domain/flag/configuration.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { type Project } from '../../domain/project.js';
import { requireValidAttribute } from '../../domain/targeting/valid-clauses.js';
import { requireConfigurable, requireVariants } from './guards.js';

/** A share in percent, in steps of 0.001. */
type Share = Readonly<{ variant: string; percent: number }>;

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
const toSplit = (
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

/** What everyone gets whom no target or rule catches: one variant (`null`: the code default), or a split. */
export type Fallthrough =
  | Readonly<{ variant: string | null }>
  | Readonly<{ split: readonly Share[]; bucketBy?: string; salt?: string }>;

export type ChangeRollout = Command<
  'ChangeRollout',
  { projectId: string; flagKey: string; environment: string; fallthrough: Fallthrough }
>;

/** As it is stored. @throws DomainError as toSplit */
export const toServe = (wanted: Fallthrough, present: Serve): Serve =>
  'split' in wanted ? { split: toSplit(wanted.split, present, wanted) } : wanted;

export const changeRollout = (
  { data }: ChangeRollout,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { active, configuration } = requireConfigurable(flag, project, data);
  const { environment, fallthrough: wanted } = data;
  const names = 'split' in wanted ? wanted.split.map(({ variant }) => variant) : [wanted.variant];
  requireVariants(active.variants, names);
  const fallthrough = toServe(wanted, configuration.fallthrough);
  if (sameJson(configuration.fallthrough, fallthrough)) return [];
  return [{ type: 'FlagRolloutChanged', data: { environment, fallthrough } }];
};

/**
 * The most common need in one call: this many percent of users get `true`, the rest `false`, and the flag is on.
 * 0 and 100 serve one variant to everyone.
 */
export type SetRolloutPercentage = Command<
  'SetRolloutPercentage',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    percentage: number;
    bucketBy?: string;
  }
>;

const variantOf = (flag: ExistingFlag, wanted: boolean): Variant => {
  const found = flag.variants.find(({ value }) => value === wanted);
  if (found !== undefined) return found;
  throw new DomainError(
    'flag-not-boolean',
    `Flag '${flag.key}' has no variant whose value is ${wanted}; change its rollout with shares per variant.`,
  );
};

export const setRolloutPercentage = (
  { data }: SetRolloutPercentage,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { active, configuration } = requireConfigurable(flag, project, data);
  const { environment, percentage, bucketBy } = data;
  const [on, off] = [variantOf(active, true), variantOf(active, false)];
  const shares = [
    { variant: on.name, percent: percentage },
    { variant: off.name, percent: 100 - percentage },
  ];
  const split = toSplit(shares, { variant: null }, bucketBy === undefined ? {} : { bucketBy });
  const whole = split.weights.find(({ weight }) => weight === split.total);
  const fallthrough: Serve = whole === undefined ? { split } : { variant: whole.variant };
  const events: FlagEvent[] = [];
  if (!sameJson(configuration.fallthrough, fallthrough)) {
    events.push({ type: 'FlagRolloutChanged', data: { environment, fallthrough } });
  }
  if (!configuration.enabled) events.push({ type: 'FlagEnabled', data: { environment } });
  return events;
};
