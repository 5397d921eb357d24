import fc, { type Arbitrary } from 'fast-check';
import { type Context } from '../../src/domain/evaluation/context.js';
import { type Ruleset, type SegmentDefinition } from '../../src/domain/evaluation/ruleset.js';
import { type Configuration, type RuleServe } from '../../src/domain/flag/configuration.js';
import { type Json } from '../../src/domain/json.js';
import { type Clause, type SimpleClause } from '../../src/domain/targeting/clause.js';
import { NOW_MS } from './evaluation.js';
import { aRuleset, aSplit } from './rulesets.js';

// The contexts that docs/flagd.md promises equality for: attributes are absent, null, booleans, numbers, texts that are
// no numbers, and lists of these; no list is asked for its version or bucketed. ASCII only, because flagd-core hashes
// UTF-16 units where flagd, and we, hash UTF-8 bytes. flagd-core reads the machine's clock: rules ask for other years.

const words = ['pro', 'team', 'beta-one', 'x@y.org', 'true', '', 'no version'];
const versions = ['1.2.3', 'v1.2', '2', '1.2.3-beta.2', '1.2.3-beta.11+7', '0.3.0'];
const numbers = [0, 1, 5, -2, 2.5, 42];
const scalars: readonly Json[] = [...words, ...versions.slice(0, 1), ...numbers, true, false, null];
const scalar = fc.constantFrom(...scalars);
const list = fc.array(scalar, { maxLength: 3 });
const keys = ['user1', 'user2', 'jon@company.com', ''];

const attributes = fc.record(
  {
    plan: fc.oneof(scalar, list),
    age: fc.oneof(scalar, list),
    version: fc.oneof(fc.constantFrom<Json[]>(...versions), scalar),
    unit: scalar,
    deep: fc.record({ plan: fc.oneof(scalar, list) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

export const context: Arbitrary<Context> = fc
  .tuple(fc.option(fc.constantFrom(...keys), { nil: undefined }), attributes)
  .map(([targetingKey, given]) => ({ targetingKey, attributes: given, nowMs: NOW_MS }));

const negate = fc.constantFrom({}, { negate: true as const });
const attribute = fc.constantFrom('plan', 'age', 'deep.plan', 'targetingKey', 'unit');
const some = <T>(...of: readonly T[]) =>
  fc.array(fc.constantFrom(...of), { minLength: 1, maxLength: 3 });

const clauseOf = (
  operators: readonly string[],
  asked: Arbitrary<string>,
  values: Arbitrary<readonly unknown[]>,
): Arbitrary<SimpleClause> =>
  fc
    .tuple(asked, fc.constantFrom(...operators), values, negate)
    .map(
      ([name, operator, list, more]) =>
        ({ attribute: name, operator, values: list, ...more }) as SimpleClause,
    );

const PAST = [Date.UTC(2000, 0), '2010-05-01T00:00:00Z'];
const FUTURE = [Date.UTC(2300, 0)];

const semver = [
  'Equals',
  'LessThan',
  'LessThanOrEqual',
  'GreaterThan',
  'GreaterThanOrEqual',
  'Tilde',
  'Caret',
];
const numeric = [
  'numberEquals',
  'lessThan',
  'lessThanOrEqual',
  'greaterThan',
  'greaterThanOrEqual',
];

const simpleClause: Arbitrary<SimpleClause> = fc.oneof(
  clauseOf(['in'], attribute, some<unknown>(...words, ...numbers, true, false)),
  clauseOf(
    ['contains', 'startsWith', 'endsWith'],
    attribute,
    some('p', 'beta', 'one', '@', 'user'),
  ),
  clauseOf(numeric, fc.constantFrom('age', 'plan', 'unit'), some(...numbers)),
  clauseOf(
    semver.map((name) => `semver${name}`),
    fc.constant('version'),
    some(...versions),
  ),
  clauseOf(['exists', 'notExists'], attribute, fc.constant([])),
  clauseOf(
    ['before', 'beforeOrAt', 'after', 'afterOrAt'],
    fc.constant('$now'),
    some(...PAST, ...FUTURE),
  ),
);

const segmentClause = (segments: readonly string[]): Arbitrary<SimpleClause> =>
  fc
    .tuple(fc.subarray([...segments], { minLength: 1 }), negate)
    .map(([named, more]) => ({ segments: named, ...more }));

const clausesWith = (segments: readonly string[]): Arbitrary<readonly Clause[]> => {
  const simple = fc.oneof(
    { arbitrary: simpleClause, weight: 4 },
    { arbitrary: segmentClause(segments), weight: 1 },
  );
  const group = fc
    .array(simple, { minLength: 1, maxLength: 3 })
    .map((anyOf): Clause => ({ anyOf }));
  return fc.array(fc.oneof({ arbitrary: simple, weight: 3 }, { arbitrary: group, weight: 1 }), {
    minLength: 1,
    maxLength: 3,
  });
};

const segmentWith = (key: string, others: readonly string[]): Arbitrary<SegmentDefinition> =>
  fc.record({
    key: fc.constant(key),
    revision: fc.constant(1),
    position: fc.constant(1),
    included: fc.constantFrom<string[][]>([], ['user1']),
    excluded: fc.constantFrom<string[][]>([], ['user2']),
    rules: fc.array(
      clausesWith(others).map((clauses) => ({ id: 'r', description: '', clauses })),
      { maxLength: 2 },
    ),
  });

const variant = fc.constantFrom<(string | null)[]>('on', 'off', null);
const split = fc
  .tuple(
    fc.constantFrom('targetingKey', 'unit'),
    fc.integer({ min: 0, max: 100_000 }),
    fc.constantFrom({}, { salt: 'other' }),
  )
  .map(([bucketBy, on, salt]) =>
    aSplit(
      [
        ['on', on],
        ['off', 100_000 - on],
      ],
      { bucketBy, ...salt },
    ),
  );
const logic = fc.constantFrom<RuleServe[]>(
  { logic: { if: [{ '===': [{ var: 'plan' }, 'pro'] }, 'on'] } },
  { logic: { if: [{ starts_with: [{ var: 'unit' }, 'x'] }, 'off', null] } },
);
const serve = fc.oneof(
  variant.map((name) => ({ variant: name })),
  split,
  logic,
);
const rule = (segments: readonly string[]) =>
  fc
    .tuple(clausesWith(segments), serve)
    .map(([clauses, served]) => ({ id: 'r', description: '', clauses, serve: served }));

const flagWith = (
  key: string,
  flags: readonly string[],
  segments: readonly string[],
): Arbitrary<Ruleset> =>
  fc
    .record({
      enabled: fc.constantFrom(true, true, true, false),
      offVariant: variant,
      fallthrough: fc.oneof(
        variant.map((name) => ({ variant: name })),
        split,
      ),
      targets: fc.constantFrom<Configuration['targets'][]>(
        [],
        [{ variant: 'off', keys: ['user1', 'user2'] }],
      ),
      rules: fc.array(rule(segments), { maxLength: 3 }),
      prerequisites: fc.constantFrom<NonNullable<Configuration['prerequisites']>[]>(
        [],
        ...flags.map((flagKey) => [{ flagKey, variants: ['on'] }]),
      ),
    })
    .map((configuration) => aRuleset(key, { configuration }));

const SEGMENTS = ['staff', 'testers'];
/** Two segments and two flags that refer to them, to each other, and to what is not there. */
export const project = fc.tuple(
  fc.tuple(segmentWith('staff', ['gone']), segmentWith('testers', ['staff', 'gone'])),
  fc.tuple(flagWith('base', ['gone'], SEGMENTS), flagWith('top', ['base'], [...SEGMENTS, 'gone'])),
);
