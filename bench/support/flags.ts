import { type Ruleset, type SegmentDefinition } from '../../src/domain/evaluation/ruleset.js';
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

const USERS = 200;

/** The query strings of 200 users with four attributes, of whom some match each kind of rule. */
export const userQueries: readonly string[] = Array.from({ length: USERS }, (_, nth) => {
  const country = ['CH', 'DE', 'FR', 'US'][nth % 4] ?? 'CH';
  const plan = ['free', 'pro', 'team'][nth % 3] ?? 'free';
  const user = `user-${nth}`;
  const email = `${user}%40${nth % 10 === 0 ? 'example.com' : 'customer.test'}`;
  return `targetingKey=${user}&country=${country}&plan=${plan}&version=2.${nth % 20}.0&email=${email}`;
});

const listOf50 = Array.from({ length: 50 }, (_, nth) => `user-${nth * 4}`);

const thirds: Serve = {
  split: {
    weights: [
      { variant: 'on', weight: 33_333 },
      { variant: 'off', weight: 33_333 },
      { variant: 'new', weight: 33_334 },
    ],
    total: SPLIT_TOTAL,
    bucketBy: 'targetingKey',
    algorithm: 'murmur3-32',
  },
};

const rule = (clauses: Rule['clauses'], serve: Rule['serve']): Rule => ({
  id: 'rule-1',
  description: '',
  clauses,
  serve,
});

/** What 50 flags of a team are: configuration and how many. */
const TEAM: readonly (readonly [count: number, configuration: Configuration])[] = [
  [15, live],
  [10, { ...live, fallthrough: half }],
  [5, { ...live, targets: [{ variant: 'off', keys: listOf50 }] }],
  [
    5,
    {
      ...live,
      rules: [
        rule(
          [
            { attribute: 'country', operator: 'in', values: ['CH', 'LI'] },
            { attribute: 'version', operator: 'semverGreaterThanOrEqual', values: ['2.10.0'] },
          ],
          { variant: 'off' },
        ),
      ],
    },
  ],
  [
    5,
    {
      ...live,
      rules: [
        rule(
          [
            { attribute: '$now', operator: 'after', values: ['2026-01-01T00:00:00Z'] },
            { attribute: 'email', operator: 'endsWith', values: ['@example.com'] },
          ],
          half,
        ),
      ],
    },
  ],
  [5, { ...live, fallthrough: thirds }],
  [5, { ...live, rules: [rule([{ segments: ['team'] }], { variant: 'off' })] }],
];

/** A segment by a rule, as teams write them. */
export const team: SegmentDefinition = {
  key: 'team',
  revision: 3,
  position: 80_000,
  included: ['user-1', 'user-2'],
  excluded: [],
  rules: [
    {
      id: 'staff',
      description: '',
      clauses: [{ attribute: 'email', operator: 'endsWith', values: ['@example.com'] }],
    },
  ],
};

/** The 50 flags that a team has, well mixed. */
export const teamFlags: readonly Ruleset[] = TEAM.flatMap(([count, configuration], kind) =>
  Array.from({ length: count }, (_, nth) => ({
    ...benchFlag(`flag-${String(nth * 10 + kind).padStart(4, '0')}`, 'static'),
    variants: [
      { name: 'on', value: true },
      { name: 'off', value: false },
      { name: 'new', value: true },
    ],
    configuration,
  })),
);

/** Flags of all kinds, well mixed: two in five static, one in five of each other kind. */
export const mixedFlags = (count: number): readonly Ruleset[] => {
  const mix = ['static', 'split', 'disabled', 'targets', 'static'] as const;
  return Array.from({ length: count }, (_, index) =>
    benchFlag(`flag-${String(index).padStart(4, '0')}`, mix[index % mix.length] ?? 'static'),
  );
};
