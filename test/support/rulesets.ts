import {
  type EnvironmentContents,
  type Ruleset,
  type SegmentDefinition,
} from '../../src/domain/evaluation/ruleset.js';
import {
  type Configuration,
  type Split,
  SPLIT_TOTAL,
} from '../../src/domain/flag/configuration.js';

/** An active boolean flag that serves `on` to everyone, but for what is said otherwise. */
export const aRuleset = (
  key: string,
  {
    configuration,
    ...more
  }: Partial<Omit<Ruleset, 'configuration'>> & { configuration?: Partial<Configuration> } = {},
): Ruleset => ({
  key,
  type: 'boolean',
  revision: 3,
  position: 40,
  isArchived: false,
  salt: key,
  variants: [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ],
  ...more,
  configuration: {
    enabled: true,
    offVariant: 'off',
    fallthrough: { variant: 'on' },
    targets: [],
    ...configuration,
  },
});

/** A split by targeting key; weights sum to 100 000 unless a total is given. */
export const aSplit = (
  weights: readonly (readonly [variant: string, weight: number])[],
  more: Partial<Split> = {},
): { split: Split } => ({
  split: {
    weights: weights.map(([variant, weight]) => ({ variant, weight })),
    total: SPLIT_TOTAL,
    bucketBy: 'targetingKey',
    algorithm: 'murmur3-32',
    ...more,
  },
});

/** A segment with these members, but for what is said otherwise. */
export const aSegment = (
  key: string,
  included: readonly string[] = [],
  more: Partial<SegmentDefinition> = {},
): SegmentDefinition => ({
  key,
  revision: 2,
  position: 30,
  included,
  excluded: [],
  rules: [],
  ...more,
});

/** What an environment with these flags and segments holds. */
export const contentsOf = (
  flags: readonly Ruleset[],
  segments: readonly SegmentDefinition[] = [],
): EnvironmentContents => ({
  flags: new Map(flags.map((flag) => [flag.key, flag])),
  segments: new Map(segments.map((segment) => [segment.key, segment])),
});
