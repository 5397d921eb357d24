import { type SegmentDefinition } from '../../src/domain/evaluation/segment-definition.js';
import { type Ruleset } from '../../src/domain/evaluation/ruleset.js';
import {
  type Configuration,
  type Rule,
  type Serve,
  SPLIT_TOTAL,
} from '../../src/domain/flag/configuration.js';

const half: Serve = {
  split: {
    weights: [
      { variant: 'on', weight: SPLIT_TOTAL / 2 },
      { variant: 'off', weight: SPLIT_TOTAL / 2 },
    ],
    total: SPLIT_TOTAL,
    bucketBy: 'targetingKey',
    algorithm: 'murmur3-32',
  },
};

/** Three clauses as teams write them; the benchmark's users match all. */
const threeClauses: Rule = {
  id: 'swiss-professionals',
  description: '',
  clauses: [
    { attribute: 'country', operator: 'in', values: ['CH', 'LI'] },
    { attribute: 'plan', operator: 'in', values: ['pro'] },
    { attribute: 'version', operator: 'semverGreaterThanOrEqual', values: ['2.10.0'] },
  ],
  serve: { variant: 'off' },
};

/** None of them matches: the price of the longest way through a flag. */
const manyRules: readonly Rule[] = Array.from({ length: 100 }, (_, index) => ({
  id: `rule-${index}`,
  description: '',
  clauses: [{ attribute: 'country', operator: 'in', values: [`X${index}`] }],
  serve: { variant: 'off' },
}));

const inSegment: Rule = {
  id: 'members',
  description: '',
  clauses: [{ segments: ['members'] }],
  serve: { variant: 'off' },
};

/** 10 000 keys, none of them a user of the benchmark. */
export const members: SegmentDefinition = {
  key: 'members',
  revision: 3,
  position: 80_000,
  included: Array.from({ length: 10_000 }, (_, index) => `member-${index}`),
  excluded: [],
  rules: [],
};

const allowed = Array.from({ length: 100 }, (_, index) => `beta-${index}`);
const live: Configuration = {
  enabled: true,
  offVariant: 'off',
  fallthrough: { variant: 'on' },
  targets: [],
};

/** The kinds of flag that are measured. */
export const KINDS = {
  static: live,
  disabled: { ...live, enabled: false },
  targets: { ...live, targets: [{ variant: 'off', keys: allowed }] },
  split: { ...live, fallthrough: half },
  rule: { ...live, rules: [threeClauses] },
  manyRules: { ...live, rules: manyRules },
  segment: { ...live, rules: [inSegment] },
} as const satisfies Record<string, Configuration>;

export const benchFlag = (key: string, kind: keyof typeof KINDS): Ruleset => ({
  key,
  type: 'boolean',
  revision: 12,
  position: 90_000,
  isArchived: false,
  salt: key,
  variants: [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ],
  configuration: KINDS[kind],
});

/** Flags of all kinds, well mixed: two in five static, one in five of each other kind. */
export const mixedFlags = (count: number): readonly Ruleset[] => {
  const mix = ['static', 'split', 'disabled', 'targets', 'static'] as const;
  return Array.from({ length: count }, (_, index) =>
    benchFlag(`flag-${String(index).padStart(4, '0')}`, mix[index % mix.length] ?? 'static'),
  );
};
