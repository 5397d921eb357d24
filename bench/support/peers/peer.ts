/** What every engine is asked, in its own terms: the same flags, the same people. */
export const SCENARIOS = [
  'static boolean',
  '50 % split',
  'rule of 3 clauses',
  'the last of 100 rules',
  'segment of 10 000 keys',
  'all of 50 flags',
  'all of 1000 flags',
] as const;

export type Scenario = (typeof SCENARIOS)[number];

/** Takes the number of a person; answers `true` or `false`, or how many flags it evaluated. */
type Run = (person: number) => boolean | number | Promise<boolean | number>;

export type Peer = Readonly<{
  name: string;
  runs: Readonly<Record<Scenario, Run>>;
  close?: () => unknown;
}>;

const PEOPLE = 1_000;
export const RULES = 100;

type Person = Readonly<{ key: string; plan: string; country: string; age: number }>;

/** Members of the segment are those that are asked for: everyone. */
export const people: readonly Person[] = Array.from({ length: PEOPLE }, (_, nth) => ({
  key: `3f2504e0-4f89-41d3-9a0c-${String(nth).padStart(12, '0')}`,
  plan: 'plan-99',
  country: 'CH',
  age: 18 + (nth % 50),
}));

export const members: readonly string[] = [
  ...people.map(({ key }) => key),
  ...Array.from({ length: 9_000 }, (_, nth) => `9c858901-8a57-4791-81fe-${String(nth)}`),
];

export const COUNTRIES = ['AT', 'CH', 'DE'];
export type Kind = 'static' | 'split' | 'rule' | 'hundred' | 'segment';

/** The kinds that the many flags are of, in turn. */
const MIX = ['static', 'split', 'rule', 'static', 'split'] as const;

/** Keys of the mixed flags, with their kinds. */
export const mixed = (count: number): readonly (readonly [key: string, kind: Kind])[] =>
  Array.from({ length: count }, (_, nth) => [
    `flag-${String(nth).padStart(4, '0')}`,
    MIX[nth % MIX.length] ?? 'static',
  ]);

const KINDS: readonly Kind[] = ['static', 'split', 'rule', 'hundred', 'segment'];

/** Flags for the questions about one: the key is the kind. */
export const singles: readonly (readonly [key: string, kind: Kind])[] = KINDS.map((kind) => [
  kind,
  kind,
]);

/** The runs of an engine from how it answers about one flag, and about all of a size. */
export const runsOf = (
  one: (kind: Kind) => Run,
  all: (count: number) => Run,
): Readonly<Record<Scenario, Run>> => ({
  'static boolean': one('static'),
  '50 % split': one('split'),
  'rule of 3 clauses': one('rule'),
  'the last of 100 rules': one('hundred'),
  'segment of 10 000 keys': one('segment'),
  'all of 50 flags': all(50),
  'all of 1000 flags': all(1_000),
});

export const at = <T>(items: readonly T[], index: number): T => {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no person ${index}.`);
  return item;
};
