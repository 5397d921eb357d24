import * as fc from 'fast-check';
import { test } from 'tap';
import { compileRule, ruleAnswer, ruleSteps } from '../../../src/domain/evaluation/rules.js';
import { type Rule } from '../../../src/domain/flag/configuration.js';
import { type AttributeClause } from '../../../src/domain/targeting/clause.js';
import { compileRegex } from '../../../src/infrastructure/re2-regex-compiler.js';

const texts = fc.constantFrom('x', 'y', 'z', 'X');

const clause = fc
  .record({
    attribute: fc.constantFrom('a', 'a', 'a', 'b'),
    values: fc.array(fc.oneof({ weight: 9, arbitrary: texts }, fc.constant(1)), {
      minLength: 1,
      maxLength: 3,
    }),
    isNegated: fc.nat(9).map((n) => n === 0),
    isFolded: fc.nat(9).map((n) => n === 0),
  })
  .map(({ attribute, values, isNegated, isFolded }): AttributeClause => ({
    attribute,
    operator: 'in',
    values,
    ...(isNegated && { negate: true }),
    ...(isFolded && { ignoreCase: true }),
  }));

const rules = fc
  .array(fc.array(clause, { minLength: 1, maxLength: 2 }), { maxLength: 14 })
  .map((all) =>
    all.map((clauses, nth): Rule => ({
      id: `rule-${nth}`,
      description: '',
      clauses,
      serve: { variant: 'on' },
    })),
  );

const value = fc.oneof(
  texts,
  fc.constant(1),
  fc.constant(undefined),
  fc.array(texts, { maxLength: 2 }),
);

const compiled = (all: readonly Rule[]) =>
  all.map((rule) =>
    compileRule(
      rule,
      {
        key: 'flag',
        salt: 'flag',
        variants: [{ name: 'on' }],
        answer: (_, __, ruleId) => ({ ruleId }),
      },
      { compileRegex },
    ),
  );

const equality = (id: string, values: readonly string[]): Rule => ({
  id,
  description: '',
  clauses: [{ attribute: 'a', operator: 'in', values }],
  serve: { variant: 'on' },
});

test('a long row of rules about one attribute is one step, and a text finds its rule', async (t) => {
  const row = compiled(['x', 'y', 'z', 'x', 'w'].map((text, nth) => equality(`${nth}`, [text])));
  const steps = ruleSteps(row);
  t.equal(steps.length, 1);
  t.strictSame(steps[0]?.byText?.rules.get('x'), [row[0], row[3]]);
  t.equal(ruleSteps(row.slice(0, 3))[0]?.byText, undefined, 'a short row is tried rule by rule');
});

test('rules in steps answer as rules tried one after the other', async (t) => {
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_121);
  t.comment(`seed ${seed}`);
  let grouped = 0;
  fc.assert(
    fc.property(rules, value, value, (all, a, b) => {
      const ready = compiled(all);
      const steps = ruleSteps(ready);
      if (steps.some(({ byText }) => byText !== undefined)) grouped += 1;
      const context = { targetingKey: undefined, attributes: { a, b }, nowMs: 0 };
      t.strictSame(
        ruleAnswer(steps, context, new Map()),
        ruleAnswer([{ rules: ready, byText: undefined }], context, new Map()),
      );
    }),
    { seed, numRuns: 1_000 },
  );
  t.ok(grouped > 100, `${grouped} of them have a long row`);
});
