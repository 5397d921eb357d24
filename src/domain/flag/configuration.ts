import { type Json, type JsonObject } from '../json.js';
import { type Clause } from '../targeting/clause.js';
import { withKeys, withoutKeys } from '../targeting/key-lists.js';

export type FlagType = 'boolean' | 'string' | 'number' | 'object';

export type Variant = Readonly<{ name: string; value: Json; description?: string }>;

/** The flag type that a value belongs to; undefined for null and arrays, which no flag serves. */
export const typeOfValue = (value: Json): FlagType | undefined => {
  if (value === null || Array.isArray(value)) return undefined;
  const type = typeof value;
  return type === 'boolean' || type === 'string' || type === 'number' || type === 'object'
    ? type
    : undefined;
};

/** Shares of one split. Weights are non-negative integers in a fixed order; they sum to `total` (≤ 2^20). */
export type Split = Readonly<{
  weights: readonly Readonly<{ variant: string; weight: number }>[];
  total: number;
  /** The context attribute whose value is hashed. */
  bucketBy: string;
  /** Stored, so that a replay of the past buckets with the algorithm of that day. */
  algorithm: 'murmur3-32';
  /** Hashed in front of the bucketing value; the flag's own salt when absent. */
  salt?: string;
}>;

/** The variant that has the whole weight of a split: it goes to everyone, also to whom nothing can be hashed for. */
export const wholeVariant = ({ weights, total }: Split): string | undefined =>
  weights.find(({ weight }) => weight === total)?.variant;

/** What is served: one variant (`null`: none, so the caller's code default), or a split. */
export type Serve = Readonly<{ variant: string | null }> | Readonly<{ split: Split }>;

/** Targeting keys that always get one variant. */
export type Target = Readonly<{ variant: string; keys: readonly string[] }>;

/**
 * What a rule serves. `logic` is JSONLogic in flagd's dialect, whose result names the variant; `null` as result: the
 * next rule is tried.
 */
export type RuleServe = Serve | Readonly<{ logic: Json }>;

/** For those for whom all clauses are true. Only a rule that serves `logic` may be without clauses. */
export type Rule = Readonly<{
  /** Stays with the rule through every change. */
  id: string;
  description: string;
  clauses: readonly Clause[];
  serve: RuleServe;
}>;

/** Met when the other flag serves one of these variants in the same environment. */
export type Prerequisite = Readonly<{ flagKey: string; variants: readonly string[] }>;

/** How a flag behaves in one environment. */
export type Configuration = Readonly<{
  enabled: boolean;
  /** Served while disabled or archived; `null`: no value, so the caller's code default. */
  offVariant: string | null;
  fallthrough: Serve;
  targets: readonly Target[];
  /** In the order in which they are tried. Absent when there are none. */
  rules?: readonly Rule[];
  /** All must be met, else `offVariant` is served. Absent when there are none. */
  prerequisites?: readonly Prerequisite[];
}>;

/** The configuration with these rules and prerequisites; empty lists are left out, so that equal ones are equal. */
export const withTargeting = (
  { rules: _, prerequisites: __, ...configuration }: Configuration,
  rules: readonly Rule[] = [],
  prerequisites: readonly Prerequisite[] = [],
): Configuration => ({
  ...configuration,
  ...(rules.length === 0 ? {} : { rules }),
  ...(prerequisites.length === 0 ? {} : { prerequisites }),
});

/** The targets with these keys behind those of their variants. */
export const withTargets = (
  targets: readonly Target[],
  added: readonly Target[],
): readonly Target[] =>
  added.reduce<readonly Target[]>(
    (list, { variant, keys }) =>
      list.some((target) => target.variant === variant)
        ? list.map((one) =>
            one.variant === variant ? { variant, keys: withKeys(one.keys, keys) } : one,
          )
        : [...list, { variant, keys }],
    targets,
  );

/** The targets without these keys of these variants; a variant without any has no entry. */
export const withoutTargets = (
  targets: readonly Target[],
  removed: readonly Target[],
): readonly Target[] =>
  removed
    .reduce<readonly Target[]>(
      (list, { variant, keys }) =>
        list.map((one) =>
          one.variant === variant ? { variant, keys: withoutKeys(one.keys, keys) } : one,
        ),
      targets,
    )
    .filter(({ keys }) => keys.length > 0);

/** The total of every split that our commands write: weights in 0.001 % steps. */
export const SPLIT_TOTAL = 100_000;

/** The largest total for which `hash × total` is exact in a double (2^32 × 2^20 < 2^53). */
export const MAX_SPLIT_TOTAL = 2 ** 20;

/** What `logic` may name is not known beforehand: none; see namedVariants. */
const servedVariants = (serve: RuleServe): readonly (string | null)[] => {
  if ('logic' in serve) return [];
  return 'split' in serve ? serve.split.weights.map(({ variant }) => variant) : [serve.variant];
};

/** Names of the variants that a configuration refers to. */
export const usedVariants = (configuration: Configuration): ReadonlySet<string> => {
  const { offVariant, fallthrough, targets, rules = [] } = configuration;
  const served = [fallthrough, ...rules.map(({ serve }) => serve)].flatMap(servedVariants);
  const names = [offVariant, ...served, ...targets.map(({ variant }) => variant)];
  return new Set(names.filter((name) => name !== null));
};

const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

/** Results of `[condition, result, condition, result, …, else]`. */
const results = (branches: readonly Json[]): readonly Json[] =>
  branches.filter((_, index) => index % 2 === 1 || index === branches.length - 1);

/** What an expression says outright that it results in: as a constant, by a branch of an `if`, in a `fractional`. */
const plainResults = (logic: Json): readonly Json[] => {
  if (typeof logic !== 'object') return [logic];
  const { if: branches, fractional } = (logic ?? {}) as JsonObject;
  const shares = listOf(fractional).flatMap((share) => listOf(share).slice(0, 1));
  return [...results(listOf(branches)).flatMap(plainResults), ...shares];
};

/** Names of variants, and others, that expressions of a configuration plainly name. What they compute is not known. */
export const namedVariants = ({ rules = [] }: Configuration): ReadonlySet<string> =>
  new Set(
    rules
      .flatMap(({ serve }) => ('logic' in serve ? plainResults(serve.logic) : []))
      .flatMap((result) => (typeof result === 'object' ? [] : [String(result)])),
  );
