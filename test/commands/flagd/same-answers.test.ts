import fc, { type Arbitrary } from 'fast-check';
import { test } from 'tap';
import { type Ruleset, type SegmentDefinition } from '../../../src/domain/evaluation/ruleset.js';
import { withTargeting } from '../../../src/domain/flag/configuration.js';
import { neededSegments } from '../../../src/domain/flagd/evaluator-segments.js';
import { flagdDocument } from '../../../src/domain/flagd/export.js';
import { parseFlagd, readFlagdFile, type TargetingMode } from '../../../src/domain/flagd/parse.js';
import { type Json, type JsonObject } from '../../../src/domain/json.js';
import { usedSegments } from '../../../src/domain/targeting/clause.js';
import { requireValidClauses } from '../../../src/domain/targeting/valid-clauses.js';
import { aContext, compileRegex, resolve } from '../../support/evaluation.js';
import { flagdEngine } from '../../support/flagd-core.js';
import { property } from '../../support/property.js';
import { aRuleset, aSegment, contentsOf } from '../../support/rulesets.js';

// Attributes are absent or of the type that they are compared with; texts are ASCII (flagd-core hashes UTF-16 units).

// Making two engines of flagd's for each is what takes time.
const RUNS = 300;

const texts = ['', 'pro', 'team', 'beta-x', '5', '10'];
const versions = ['1.2.3', '1.2.3-rc.1', '1.3.0', '2.0.0-0', '2.1.7'];
const numbers = [0, 1, 5, -2, 2.5];

const about = fc.record(
  {
    text: fc.oneof(fc.constantFrom<Json[]>(...texts), fc.constant(null)),
    number: fc.oneof(fc.constantFrom<Json[]>(...numbers), fc.constant(null)),
    boolean: fc.constantFrom<Json[]>(true, false, null),
    version: fc.oneof(fc.constantFrom<Json[]>(...versions), fc.constant(null)),
    nested: fc.record({ text: fc.constantFrom(...texts) }),
    groups: fc.array(fc.constantFrom(...texts), { maxLength: 3 }),
    targetingKey: fc.constantFrom('user1', 'user2', 'jon@company.com'),
  },
  { requiredKeys: [] },
);

const comparison = (
  names: readonly string[],
  attribute: string,
  values: readonly Json[],
): Arbitrary<Json> =>
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...values), fc.boolean())
    .map(([name, value, isMirrored]) => {
      const sides: readonly Json[] = [{ var: attribute }, value];
      return { [name]: isMirrored ? sides.toReversed() : sides };
    });

const equality = ['==', '!=', '===', '!=='];
const order = ['<', '<=', '>', '>='];
const inVersions = fc
  .tuple(fc.constantFrom('=', '!=', ...order, '~', '^'), fc.constantFrom(...versions))
  .map(([name, version]): Json => ({ sem_ver: [{ var: 'version' }, name, version] }));
const between = fc
  .tuple(fc.constantFrom(...numbers), fc.constantFrom(...numbers))
  .map(([low, high]): Json => ({ '<=': [low, { var: 'number' }, high] }));

const isIn = (attribute: string, values: readonly Json[]): Arbitrary<Json> =>
  fc
    .array(fc.constantFrom(...values), { maxLength: 3 })
    .map((list): Json => ({ in: [{ var: attribute }, list] }));

const onText = fc
  .tuple(
    fc.constantFrom('starts_with', 'ends_with'),
    fc.constantFrom('text', 'nested.text'),
    fc.constantFrom('', 'p', 'x'),
  )
  .map(([name, attribute, part]): Json => ({ [name]: [{ var: attribute }, part] }));

const leaf = fc.oneof(
  comparison(equality, 'text', texts.slice(1)),
  comparison(equality, 'nested.text', texts.slice(1)),
  comparison([...equality, ...order], 'number', numbers),
  comparison(equality, 'boolean', [true, false]),
  comparison(order, '$flagd.timestamp', [946_684_800, 10_413_792_000]),
  isIn('text', texts),
  isIn('number', numbers),
  inVersions,
  between,
  onText,
  fc.constantFrom<Json[]>(
    { '==': [{ var: 'text' }, null] },
    { in: ['e', { var: 'text' }] },
    { in: ['pro', { var: 'groups' }] },
    { var: 'boolean' },
    { '!!': { var: 'text' } },
    true,
    false,
  ),
);

const reference = fc.constantFrom<Json[]>({ $ref: 'shared' }, { $ref: 'both' });

const { condition, targeting } = fc.letrec<{ condition: Json; targeting: Json }>((tie) => {
  const several = fc.array(tie('condition'), { minLength: 1, maxLength: 3 });
  const result = fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json[]>('on', 'off', true, null, 'no such variant'),
    fc.constantFrom<Json[]>(
      {
        fractional: [
          ['on', 25],
          ['off', 75],
        ],
      },
      { fractional: [{ var: 'targetingKey' }, ['on'], ['off', 3]] },
      { fractional: [{ cat: [{ var: '$flagd.flagKey' }, 'x'] }, ['on', 1], ['off', 2 ** 21]] },
    ),
    tie('targeting'),
  );
  const branch = fc.tuple(tie('condition'), result);
  return {
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { arbitrary: leaf, weight: 4 },
      { arbitrary: reference, weight: 2 },
      several.map((and): Json => ({ and })),
      several.map((or): Json => ({ or })),
      tie('condition').map((one): Json => ({ '!': one })),
      tie('condition').map((one): Json => ({ '!!': [one] })),
    ),
    targeting: fc
      .tuple(
        fc.array(branch, { minLength: 1, maxLength: 3 }),
        fc.option(result, { nil: undefined }),
      )
      .map(([branches, rest]): Json => ({
        if: rest === undefined ? branches.flat() : [...branches.flat(), rest],
      })),
  };
});

const variants = { on: 1, off: 2, true: 3 };

type Attributes = Readonly<Record<string, Json>>;

/** Conditions without references, by themselves and one within the other. */
const part = fc
  .tuple(fc.constantFrom('and', 'or', '!'), fc.array(leaf, { minLength: 1, maxLength: 3 }))
  .map(([name, list]): Json => ({ [name]: name === '!' ? list.slice(0, 1) : list }));
const parts = fc.tuple(part, part).map(([shared, other]): JsonObject => ({
  both: { or: [other, { '!': { $ref: 'shared' } }] },
  shared,
}));

const fileOf = (
  expression: Json,
  $evaluators: JsonObject,
  defaultVariant: string | null,
): JsonObject => ({
  $evaluators,
  flags: { f: { state: 'ENABLED', variants, defaultVariant, targeting: expression } },
});

type Imported = Readonly<{ ruleset: Ruleset; segments: readonly SegmentDefinition[] }>;

type Mode = TargetingMode | 'no segments';

const imported = (written: JsonObject, mode: Mode): Imported => {
  const file = readFlagdFile(written);
  const needed = mode === 'rules' ? neededSegments(file) : [];
  const keys = new Map(needed.map(({ expression, key }) => [expression, key]));
  const segments = needed.map(({ key, rules }) => aSegment(key, [], { rules }));
  const [flag] = parseFlagd(file, mode === 'exact' ? mode : 'rules', keys);
  if (flag === undefined || 'refusal' in flag) throw flag?.refusal ?? new Error('No flag.');
  const { fallthrough, rules } = flag.definition;
  for (const { clauses, id } of [...rules, ...segments.flatMap((segment) => segment.rules)])
    requireValidClauses(clauses, id, { compileRegex });
  const plain = { enabled: true, offVariant: null, fallthrough, targets: [] };
  const ruleset = aRuleset('f', {
    type: 'number',
    variants: flag.definition.variants,
    configuration: withTargeting(plain, rules),
  });
  return { ruleset, segments };
};

const hasExpression = ({ ruleset }: Imported): boolean =>
  (ruleset.configuration.rules ?? []).some(({ serve }) => 'logic' in serve);

/** By flagd-core without and with generated code, which differ where a generated comparison reads its operands again. */
const theySayTheSame = (
  file: JsonObject,
  { ruleset, segments }: Imported,
  given: Attributes,
): readonly boolean[] => {
  const { targetingKey, ...attributes } = given;
  const context = aContext(targetingKey as string | undefined, attributes, Date.now());
  const ours = resolve(ruleset, context, [], segments);
  return [true, false].map((isInterpreted) => {
    const theirs = flagdEngine(file, isInterpreted).resolveNumberEvaluation(
      'f',
      -1,
      given as never,
    );
    return (
      theirs.variant === ours.variant &&
      theirs.value === (ours.value ?? -1) &&
      (theirs.reason === 'ERROR') === (ours.reason === 'ERROR')
    );
  });
};

const defaultVariant = fc.constantFrom('on', 'off', null);

for (const mode of ['rules', 'no segments', 'exact'] as const) {
  test(`imported as ${mode}, a flag answers as in flagd`, async (t) => {
    property(
      t,
      [targeting, parts, defaultVariant, about],
      (expression, shared, variant, given) => {
        const file = fileOf(expression, shared, variant);
        return theySayTheSame(file, imported(file, mode), given).includes(true);
      },
      RUNS,
    );
  });
}

test('imported and exported again, a flag answers in flagd as before', async (t) => {
  property(
    t,
    [targeting, parts, defaultVariant, about],
    (expression, shared, variant, given) => {
      const again = imported(fileOf(expression, shared, variant), 'rules');
      const { document, leftOut } = flagdDocument(
        contentsOf([again.ruleset], again.segments),
        'again',
      );
      const answers = theySayTheSame(document, again, given);
      // An expression that was kept means what it does without generated code; docs/flagd.md has the corners.
      const isSame = hasExpression(again) ? answers.includes(true) : answers.every(Boolean);
      return leftOut.length === 0 && isSame;
    },
    RUNS,
  );
});

test('an empty text is hashed where the file says what to hash, as in flagd', async (t) => {
  const shares = [
    ['on', 1],
    ['off', 3],
  ];
  const attribute = { var: 'team' };
  for (const first of [attribute, { cat: ['a', attribute] }, { cat: ['d', attribute] }]) {
    const file = fileOf({ fractional: [first, ...shares] }, {}, 'true');
    for (const team of ['', 'x'])
      t.ok(theySayTheSame(file, imported(file, 'rules'), { team }).every(Boolean));
  }
  const byKey = fileOf({ fractional: shares }, {}, 'true');
  t.ok(theySayTheSame(byKey, imported(byKey, 'rules'), { targetingKey: '' }).every(Boolean));
});

test('most conditions become clauses', async (t) => {
  const samples = fc.sample(condition, { numRuns: 500, seed: 1 });
  const kept = samples.filter((one) => {
    const file = fileOf({ if: [one, 'on'] }, { shared: true, both: true }, 'off');
    return hasExpression(imported(file, 'rules'));
  });
  t.ok(kept.length < 200, `${kept.length} of 500 stay expressions`);
});

test('shared conditions become segments, those of other segments too', async (t) => {
  const samples = fc.sample(parts, { numRuns: 200, seed: 1 });
  const { length } = samples.filter((shared) => {
    const { ruleset, segments } = imported(
      fileOf({ if: [{ $ref: 'both' }, 'on'] }, shared, 'off'),
      'rules',
    );
    const rules = [ruleset.configuration, ...segments].flatMap((holder) => holder.rules ?? []);
    return rules.flatMap(({ clauses }) => usedSegments(clauses)).length === 2;
  });
  t.ok(length > 50, `${length} of 200 are two segments`);
});
