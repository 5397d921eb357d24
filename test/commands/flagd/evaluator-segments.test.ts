import { test } from 'tap';
import { neededSegments, segmentKeys } from '../../../src/domain/flagd/evaluator-segments.js';
import { parseFlagd, readFlagdFile } from '../../../src/domain/flagd/parse.js';
import { type Json, type JsonObject } from '../../../src/domain/json.js';

const isPro: Json = { '==': [{ var: 'plan' }, 'pro'] };
const isPart: Json = { in: ['@example.com', { var: 'email' }] };
const pro = { attribute: 'plan', operator: 'in', values: ['pro'] };

const flag = (targeting: Json): Json => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  targeting,
});

const file = ($evaluators: JsonObject, targeting: Json) =>
  readFlagdFile({ $evaluators, flags: { f: flag(targeting) } });

/** The segments by key, each with the clauses of its rules. */
const segments = (evaluators: JsonObject, targeting: Json) =>
  neededSegments(file(evaluators, targeting)).map(({ key, rules }) => [
    key,
    rules.map(({ clauses }) => clauses),
  ]);

const asked = (name: string): Json => ({ if: [{ $ref: name }, 'on'] });

test('a shared condition that a rule asks is a segment, and the rule asks for members', async (t) => {
  const written = file({ pro: isPro }, { if: [{ '!': { $ref: 'pro' } }, 'on'] });
  const needed = neededSegments(written);
  t.strictSame(needed, [
    {
      evaluator: 'pro',
      key: 'pro',
      expression: isPro,
      rules: [{ id: 'flagd-1', description: '', clauses: [pro] }],
    },
  ]);
  const keys = new Map(needed.map(({ expression, key }) => [expression, key]));
  t.match(parseFlagd(written, 'rules', keys), [
    { definition: { rules: [{ clauses: [{ segments: ['pro'], negate: true }] }] } },
  ]);
  t.match(parseFlagd(written, 'exact', keys), [
    { definition: { rules: [{ serve: { logic: {} } }] } },
  ]);
});

test('a segment comes after those that it refers to', async (t) => {
  const evaluators = {
    outer: { or: [{ $ref: 'inner' }, { '!': { $ref: 'inner' } }] },
    inner: isPro,
  };
  t.strictSame(segments(evaluators, asked('outer')), [
    ['inner', [[pro]]],
    ['outer', [[{ anyOf: [{ segments: ['inner'] }, { segments: ['inner'], negate: true }] }]]],
  ]);
});

test('alternatives that are no group are rules of the segment', async (t) => {
  const adult = { attribute: 'age', operator: 'greaterThan', values: [17] };
  const either: Json = { or: [{ and: [isPro, { '>': [{ var: 'age' }, 17] }] }, isPro] };
  t.strictSame(segments({ either }, asked('either')), [['either', [[pro, adult], [pro]]]]);
});

test('what is no condition of clauses, or is asked nowhere, is no segment', async (t) => {
  t.strictSame(segments({ isPart }, asked('isPart')), []);
  t.strictSame(segments({ yes: true }, asked('yes')), []);
  t.strictSame(segments({ pro: isPro }, { if: [true, 'on'] }), []);
  t.strictSame(segments({ pro: isPro }, { if: [{ '==': [{ $ref: 'pro' }, true] }, 'on'] }), []);
  t.strictSame(segments({ wrong: { '>': [1] } }, asked('wrong')), []);
  const mixed = { pro: isPro, mixed: { and: [{ $ref: 'pro' }, isPart] } };
  t.strictSame(segments(mixed, asked('mixed')), []);
  t.strictSame(segments({ pro: isPro, same: { $ref: 'pro' } }, asked('same')), [['pro', [[pro]]]]);
});

const refusal = (evaluators: JsonObject, name: string): string => {
  const [parsed] = parseFlagd(file(evaluators, asked(name)));
  return parsed !== undefined && 'refusal' in parsed ? parsed.refusal.message : 'not refused';
};

/** `c1` refers to `c2`, and so on; the last one is a condition. */
const chain = (length: number): JsonObject =>
  Object.fromEntries(
    Array.from({ length }, (_, index) => [
      `c${index + 1}`,
      index + 1 === length ? isPro : { '!!': { $ref: `c${index + 2}` } },
    ]),
  );

test('references that lead nowhere are refused where they stand', async (t) => {
  t.match(
    refusal({ a: { '!': { $ref: 'b' } }, b: { '!': { $ref: 'a' } } }, 'a'),
    /0\/\$ref refers to itself/,
  );
  t.match(
    refusal({ a: { '!': { $ref: 'b' } } }, 'a'),
    /^\/\$evaluators\/a\/!\/\$ref names nothing/,
  );
  t.match(refusal({ a: { '!': { $ref: 5 } } }, 'a'), /^\/\$evaluators\/a\/!\/\$ref names nothing/);
  t.equal(refusal(chain(10), 'c1'), 'not refused');
  t.match(refusal(chain(11), 'c1'), /through more than 10 others/);
});

test('every name has a key of its own', async (t) => {
  const long = 'x'.repeat(120);
  const keys = segmentKeys(['is pro?', 'is-pro', 'is/pro', '??', '', long, `${long}y`]);
  t.strictSame(
    [...keys.values()],
    [
      'is-pro-2',
      'is-pro',
      'is-pro-3',
      'evaluator',
      'evaluator-2',
      'x'.repeat(100),
      `${'x'.repeat(98)}-2`,
    ],
  );
});
