import { type Json } from '../json.js';

export type FlagType = 'boolean' | 'string' | 'number' | 'object';

export type Variant = Readonly<{ name: string; value: Json; description?: string }>;

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

/** What is served: one variant (`null`: none, so the caller's code default), or a split. */
export type Serve = Readonly<{ variant: string | null }> | Readonly<{ split: Split }>;

/** Targeting keys that always get one variant. */
export type Target = Readonly<{ variant: string; keys: readonly string[] }>;

/** How a flag behaves in one environment. */
export type Configuration = Readonly<{
  enabled: boolean;
  /** Served while disabled or archived; `null`: no value, so the caller's code default. */
  offVariant: string | null;
  fallthrough: Serve;
  targets: readonly Target[];
}>;

/** The total of every split that our commands write: weights in 0.001 % steps. */
export const SPLIT_TOTAL = 100_000;

/** The largest total for which `hash × total` is exact in a double (2^32 × 2^20 < 2^53). */
export const MAX_SPLIT_TOTAL = 2 ** 20;

/** Names of the variants that a configuration refers to. */
export const usedVariants = (configuration: Configuration): ReadonlySet<string> => {
  const { offVariant, fallthrough, targets } = configuration;
  const served =
    'split' in fallthrough
      ? fallthrough.split.weights.map(({ variant }) => variant)
      : [fallthrough.variant];
  const names = [offVariant, ...served, ...targets.map(({ variant }) => variant)];
  return new Set(names.filter((name) => name !== null));
};
