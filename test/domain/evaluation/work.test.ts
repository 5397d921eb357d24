import fc from 'fast-check';
import { test } from 'tap';
import { compileSegment } from '../../../src/domain/evaluation/clauses.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { explain } from '../../../src/domain/evaluation/explain/explain.js';
import { type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import { FLAG_STEPS } from '../../../src/domain/evaluation/work.js';
import { type RuleServe } from '../../../src/domain/flag/configuration.js';
import { type Json } from '../../../src/domain/json.js';
import { type Clause } from '../../../src/domain/targeting/clause.js';
import {
  aContext as user,
  anEnvironment,
  aSegment,
  compiled,
  compileRegex,
} from '../../support/evaluation.js';
import { aRuleset } from '../../support/rulesets.js';
import { property } from '../../support/property.js';

const TOO_COSTLY = { reason: 'ERROR', errorCode: 'GENERAL', variant: undefined };

const withRule = (clauses: readonly Clause[], serve: RuleServe = { variant: 'on' }): Ruleset =>
  aRuleset('f', {
    configuration: {
      rules: [{ id: 'r', description: '', clauses, serve }],
      fallthrough: { variant: 'off' },
    },
  });

const withLogic = (logic: Json): Ruleset => withRule([], { logic });

const resolve = (ruleset: Ruleset, attributes: Readonly<Record<string, unknown>>) => {
  const [flag, environment] = [compiled(ruleset), anEnvironment([ruleset])];
  const context = user('anna', attributes);
  const { resolution } = evaluate(flag, context, environment);
  return { resolution, explained: explain(flag, context, environment) };
};

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const ones: Json = Array.from({ length: 1_000 }, () => 1);

/** Whether none is one of which none is one of which none is 2: every element of every list is looked at. */
const within = (depth: number, list: Json): Json => ({
  none: [list, depth === 0 ? { '==': [{ var: '' }, 2] } : { '!': [within(depth - 1, ones)] }],
});

const text = (length: number): string =>
  Array.from({ length }, (_, n) => ((n * 7_919) % 13 < 6 ? 'a' : 'b')).join('');

const costly: readonly (readonly [
  name: string,
  ruleset: Ruleset,
  attributes: Record<string, unknown>,
])[] = [
  [
    'a hundred regular expressions that keep every position in mind',
    withRule([
      {
        attribute: 'q',
        operator: 'matches',
        values: Array.from({ length: 100 }, () => 'a[ab]{450}[cd]'),
      },
    ]),
    { q: text(4_096) },
  ],
  [
    'lists in lists',
    withLogic({ if: [within(2, { var: 'l' }), 'on', 'off'] }),
    { l: numbers(3_000) },
  ],
  [
    'a list that is asked for many texts',
    withRule([
      { attribute: 'l', operator: 'contains', values: Array.from({ length: 1_000 }, String) },
    ]),
    { l: Array.from({ length: 10_000 }, () => 'x') },
  ],
  [
    'the whole context, over and over',
    withLogic({ cat: Array.from({ length: 5_000 }, () => ({ var: '' })) }),
    Object.fromEntries(numbers(5_000).map((n) => [`a${n}`, n])),
  ],
];

test('what takes more steps than it may is an error of its flag', async (t) => {
  for (const [name, ruleset, attributes] of costly) {
    const { resolution, explained } = resolve(ruleset, attributes);
    t.match(resolution, TOO_COSTLY, name);
    t.match(explained.answer.resolution, TOO_COSTLY, name);
    t.equal(explained.explanation.decidedBy, 'cost', name);
  }
});

test('the same with less to look at is answered', async (t) => {
  const small: readonly Record<string, unknown>[] = [
    { q: 'a' },
    { l: [] },
    { l: ['a', 'b7'] },
    { a: 1 },
  ];
  for (const [index, [name, ruleset]] of costly.entries())
    t.not(resolve(ruleset, small[index] ?? {}).explained.explanation.decidedBy, 'cost', name);
});

test('a flag that is too costly leaves the answers of others as they are', async (t) => {
  const [, ruleset, attributes] = costly[0] ?? [];
  const environment = anEnvironment([]);
  const context = user('anna', attributes);
  const inBeta: Clause = { segments: ['beta'] };
  const isLong: Clause = { attribute: 'q', operator: 'contains', values: ['a'] };
  const beta = aSegment('beta', { rules: [{ id: 'r', description: '', clauses: [isLong] }] });
  const segments = new Map([['beta', compileSegment(beta, { compileRegex })]]);
  const before = evaluate(compiled(ruleset ?? aRuleset('f')), context, environment);
  const after = evaluate(compiled(withRule([inBeta])), context, { ...environment, segments });
  t.match([before.resolution.reason, after.resolution.variant], ['ERROR', 'on']);
});

/** Levels of five, each of which refers to all five of the level below. */
const LEVELS = 10;
const FAN = 5;
const keysOf = (level: number): readonly string[] =>
  Array.from({ length: FAN }, (_, n) => `level-${level}-${n}`);

test('a segment is asked once an evaluation, however many refer to it', async (t) => {
  let reads = 0;
  const context = user('anna', {
    get plan() {
      reads += 1;
      return 'free';
    },
  });
  const isPro: Clause = { attribute: 'plan', operator: 'in', values: ['pro'] };
  const segments = Array.from({ length: LEVELS }, (_, level) =>
    keysOf(level).map((key) => {
      const clauses: Clause[] =
        level === 0
          ? [isPro]
          : [isPro, ...keysOf(level - 1).map((below) => ({ segments: [below] }))];
      const rules = clauses.map((clause) => ({ id: 'r', description: '', clauses: [clause] }));
      return aSegment(key, { rules });
    }),
  ).flat();
  const flag = withRule([{ segments: [...keysOf(LEVELS - 1)] }]);
  const environment = anEnvironment([flag], segments);
  t.equal(evaluate(compiled(flag), context, environment).resolution.variant, 'off');
  t.equal(reads, LEVELS * FAN);
  reads = 0;
  t.equal(explain(compiled(flag), context, environment).answer.resolution.variant, 'off');
  // Once by the evaluation, and once more for its value, its outcome and the rule that it is in.
  t.ok(reads <= 4 * LEVELS * FAN, `${reads} reads`);
});

test('a prerequisite is asked once an evaluation, however many refer to it', async (t) => {
  let reads = 0;
  const context = user('anna', {
    get plan() {
      reads += 1;
      return 'free';
    },
  });
  const isPro: Clause = { attribute: 'plan', operator: 'in', values: ['pro'] };
  const flags = Array.from({ length: LEVELS }, (_, level) =>
    keysOf(level).map((key) =>
      aRuleset(key, {
        configuration: {
          prerequisites: (level === 0 ? [] : keysOf(level - 1)).map((flagKey) => ({
            flagKey,
            variants: ['on'],
          })),
          rules: [{ id: 'r', description: '', clauses: [isPro], serve: { variant: 'off' } }],
        },
      }),
    ),
  ).flat();
  const environment = anEnvironment(flags);
  const top = environment.flags.get(`level-${LEVELS - 1}-0`);
  t.equal(top && evaluate(top, context, environment).resolution.variant, 'on');
  t.equal(reads, (LEVELS - 1) * FAN + 1);
});

const lists = fc.constantFrom('map', 'filter', 'all', 'some', 'none');

/** An expression for each element of a list, with lists in it down to `depth`. */
const inner = (depth: number): fc.Arbitrary<Json> => {
  const last = fc.integer({ min: 0, max: 3 }).map((n): Json => ({ '==': [{ var: '' }, n] }));
  if (depth === 0) return last;
  const written = fc.integer({ min: 1, max: 400 }).map((length): Json => numbers(length));
  const list = fc.oneof(
    written,
    written.map((literal): Json => ({ filter: [literal, true] })),
    fc.constant<Json>({ var: '' }),
  );
  return fc
    .tuple(lists, list, inner(depth - 1))
    .map(([operator, of, each]): Json => ({ [operator]: [of, each] }));
};

test('no expression looks at more elements than it may, whatever it is made of', async (t) => {
  const depths = fc.integer({ min: 1, max: 3 }).chain(inner);
  property(
    t,
    [lists, depths, fc.integer({ min: 1, max: 3_000 })],
    (operator, each, length) => {
      let reads = 0;
      const list = new Proxy(numbers(length), {
        get: (target, name, receiver) => {
          if (typeof name === 'string' && /^\d/.test(name)) reads += 1;
          return Reflect.get(target, name, receiver) as unknown;
        },
      });
      const ruleset = withLogic({ if: [{ [operator]: [{ var: 'l' }, each] }, 'on', 'off'] });
      evaluate(compiled(ruleset), user('anna', { l: list }), anEnvironment([]));
      return reads <= FLAG_STEPS;
    },
    Number(process.env['CASES'] ?? 100),
  );
});
