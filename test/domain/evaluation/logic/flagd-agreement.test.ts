import fc, { type Arbitrary } from 'fast-check';
import { test } from 'tap';
import { compileLogic } from '../../../../src/domain/evaluation/logic/compile.js';
import { type Json } from '../../../../src/domain/json.js';
import { flagdEngine } from '../../../support/flagd-core.js';
import { property } from '../../../support/property.js';

// ASCII only: flagd-core hashes UTF-16 units where flagd, and we, hash UTF-8 bytes.

const texts = ['', 'a', 'on', 'off', 'beta', '5', '10', '1.2.3', 'v1.2', '2.0.0-rc.1', 'x@y.org'];
const FAILED = ' ERROR';

const scalar = fc.constantFrom<Json[]>(...texts, 0, 1, 5, -2, 2.5, true, false, null);
const list = fc.array(fc.constantFrom<Json[]>(...texts, 0, 1, 5, true), { maxLength: 4 });
const names = ['a', 'b', 'n', 'list', 'deep.x', 'deep.y.z', 'targetingKey', '$flagd.flagKey'];

const context = fc.record(
  {
    a: fc.oneof(scalar, list),
    b: scalar,
    n: fc.integer({ min: -5, max: 12 }),
    list: fc.array(fc.constantFrom(...texts), { maxLength: 4 }),
    deep: fc.record({ x: scalar, y: fc.record({ z: scalar }) }, { requiredKeys: ['x'] }),
    targetingKey: fc.constantFrom('user1', 'user2', 'jon@company.com', ''),
  },
  { requiredKeys: [] },
);

const variable = fc.oneof(
  fc.constantFrom(...names).map((name): Json => ({ var: name })),
  fc.tuple(fc.constantFrom(...names), scalar).map((pair): Json => ({ var: pair })),
);

const operation = (name: string, parts: readonly Arbitrary<Json>[]): Arbitrary<Json> =>
  fc.tuple(...parts).map((list): Json => ({ [name]: list }));

const comparisons = ['==', '!=', '===', '!==', '<', '<=', '>', '>='];
const versionOperators = ['=', '!=', '<', '<=', '>', '>=', '~', '^', '?'];
const version = fc.constantFrom<Json[]>(
  '1.2.3',
  '1.2.3-beta.2',
  '1.2.3-beta.10',
  'v2',
  '1.3',
  2,
  'no',
);

const { expression } = fc.letrec<{ expression: Json }>((tie) => {
  const any: Arbitrary<Json> = tie('expression');
  const element = fc.constantFrom<Json[]>(
    { var: '' },
    { '==': [{ var: '' }, 'a'] },
    { '!': { var: '' } },
  );
  const several = (name: string) =>
    fc.array(any, { minLength: 2, maxLength: 4 }).map((list): Json => ({ [name]: list }));
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      variable,
      fc.array(any, { minLength: 2, maxLength: 5 }).map((list): Json => ({ if: list })),
      several('and'),
      several('or'),
      any.map((one): Json => ({ '!': one })),
      any.map((one): Json => ({ '!!': [one] })),
      fc
        .tuple(fc.constantFrom(...comparisons), any, any)
        .map(([name, ...pair]): Json => ({ [name]: pair })),
      fc
        .tuple(fc.constantFrom('<', '<='), any, any, any)
        .map(([name, ...three]): Json => ({ [name]: three })),
      operation('in', [any, fc.oneof(list as Arbitrary<Json>, variable)]),
      operation('starts_with', [variable, any]),
      operation('ends_with', [variable, any]),
      operation('sem_ver', [
        fc.oneof(version, variable),
        fc.constantFrom(...versionOperators),
        version,
      ]),
      fc
        .tuple(fc.constantFrom('+', '-', '*', '/', '%', 'max', 'min'), any, any)
        .map(([name, ...pair]): Json => ({ [name]: pair })),
      several('cat'),
      operation('substr', [
        fc.oneof(variable, scalar),
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: -3, max: 3 }),
      ]),
      fc.subarray(names).map((some): Json => ({ missing: some })),
      fc
        .tuple(
          fc.constantFrom('map', 'filter', 'all', 'some', 'none'),
          fc.constantFrom<Json[]>({ var: 'list' }, { var: 'a' }),
          element,
        )
        .map(([name, ...pair]): Json => ({ [name]: pair })),
      operation('reduce', [
        fc.constant({ var: 'list' }),
        fc.constant({ cat: [{ var: 'accumulator' }, { var: 'current' }] }),
        scalar,
      ]),
      several('merge'),
      operation('fractional', [any, fc.constant(['on', 25]), fc.constant(['off', 75])]),
      operation('fractional', [fc.constant(['on', 1]), fc.constant(['off'])]),
    ),
  };
});

/** What flagd answers for one targeting: a variant's name, `null` for none, `undefined` when it fails. */
const flagdResult = (targeting: Json, context: Record<string, unknown>, isInterpreted: boolean) => {
  const variants = { fallback: 0, on: 1, off: 2, true: 3, false: 4, beta: 5 };
  const flag = { state: 'ENABLED', variants, defaultVariant: 'fallback', targeting };
  const answer = flagdEngine({ flags: { f: flag } }, isInterpreted).resolveNumberEvaluation(
    'f',
    -1,
    context as never,
  );
  return `${answer.variant ?? ''} ${answer.reason ?? ''}`;
};

const ourResult = (targeting: Json, { targetingKey, ...attributes }: Record<string, unknown>) => {
  const result = compileLogic(
    targeting,
    'f',
  )({ targetingKey: targetingKey as string | undefined, attributes, nowMs: 0 });
  if (result === undefined) return FAILED;
  if (result === null) return 'fallback DEFAULT';
  const known = ['fallback', 'on', 'off', 'true', 'false', 'beta'].includes(result);
  return known ? `${result} TARGETING_MATCH` : FAILED;
};

const parts = (expression: Json): readonly Json[] =>
  typeof expression === 'object' && expression !== null
    ? [expression, ...Object.values(expression as object).flatMap((part) => parts(part as Json))]
    : [];

const dependsOnContext = (expression: Json): boolean =>
  /"(var|missing|fractional|starts_with|ends_with|sem_ver)"/.test(JSON.stringify(expression));

/** flagd-core works constants out beforehand, and fails for one that fails even where nobody reaches it. */
const hasFailingConstant = (targeting: Json): boolean =>
  parts(targeting).some(
    (part) =>
      !Array.isArray(part) &&
      !dependsOnContext(part) &&
      flagdResult({ '!!': [part] }, {}, true) === FAILED,
  );

/** Of a list flagd-core negates the first element; JSONLogic (jsonlogic.com) asks whether there are any. */
const negatesList = (targeting: Json): boolean =>
  /"!{1,2}":\[?\{"(merge|map|filter|missing|if|and|or|var)"/.test(JSON.stringify(targeting));

const isOperation = (expression: Json): boolean =>
  typeof expression === 'object' && expression !== null && !Array.isArray(expression);

test('random expressions give what flagd-core gives, with or without generated code', async (t) => {
  const targetings = expression.filter((one) => isOperation(one) && !negatesList(one));
  let succeeded = 0;
  property(t, [targetings, context], (targeting, about) => {
    const theirs = [flagdResult(targeting, about, false), flagdResult(targeting, about, true)];
    const ours = ourResult(targeting, about);
    if (ours !== FAILED) succeeded += 1;
    if (theirs.includes(ours)) return true;
    return theirs.every((result) => result === FAILED) && hasFailingConstant(targeting);
  });
  t.ok(succeeded > 300, 'many of them do not fail');
});
