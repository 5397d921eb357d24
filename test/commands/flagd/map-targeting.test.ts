import { test } from 'tap';
import { NO_SEGMENTS } from '../../../src/domain/flagd/condition.js';
import { mapTargeting } from '../../../src/domain/flagd/map-targeting.js';
import { type Json } from '../../../src/domain/json.js';

const about = {
  flagKey: 'f',
  variants: ['on', 'off'],
  defaultVariant: 'off',
  segments: NO_SEGMENTS,
};

const map = (targeting: Json) => mapTargeting(targeting, about);

const clausesFor = (condition: Json): unknown =>
  map({ if: [condition, 'on'] }).rules[0]?.clauses ?? 'no rule';

const plan = (...values: string[]) => ({ attribute: 'plan', operator: 'in', values });
const noPlan = { attribute: 'plan', operator: 'notExists', values: [] };

test('every condition of a chain is a rule, with an id that stays', async (t) => {
  const isPro = { '==': [{ var: 'plan' }, 'pro'] };
  const isTeam = { '==': [{ var: 'plan' }, 'team'] };
  const isAdult = { '>=': [{ var: 'age' }, 18] };
  const chain = { if: [isPro, 'on', isTeam, { if: [isAdult, 'on', 'off'] }, 'off'] };
  const adult = { attribute: 'age', operator: 'greaterThanOrEqual', values: [18] };
  const [on, off] = [{ variant: 'on' }, { variant: 'off' }];
  const description = '';
  t.strictSame(map(chain), {
    rules: [
      { id: 'flagd-1', description, clauses: [plan('pro')], serve: on },
      { id: 'flagd-2', description, clauses: [plan('team'), adult], serve: on },
      { id: 'flagd-3', description, clauses: [plan('team')], serve: off },
    ],
    fallthrough: off,
  });
});

test('a condition that holds for an absent attribute says so', async (t) => {
  t.strictSame(clausesFor({ '!=': [{ var: 'plan' }, 'pro'] }), [
    { anyOf: [{ ...plan('pro'), negate: true }, noPlan] },
  ]);
  t.strictSame(clausesFor({ '<': [{ var: 'age' }, 5] }), [
    {
      anyOf: [
        { attribute: 'age', operator: 'lessThan', values: [5] },
        { attribute: 'age', operator: 'notExists', values: [] },
      ],
    },
  ]);
  t.strictSame(clausesFor({ '>': [{ var: 'age' }, 5] }), [
    { attribute: 'age', operator: 'greaterThan', values: [5] },
  ]);
});

test('alternatives are a group, or rules of their own', async (t) => {
  const [isPro, isTeam] = [{ '==': [{ var: 'plan' }, 'pro'] }, { in: [{ var: 'plan' }, ['team']] }];
  t.strictSame(clausesFor({ or: [isPro, isTeam] }), [{ anyOf: [plan('pro'), plan('team')] }]);
  const isAdult = { '>=': [{ var: 'age' }, 18] };
  const both = map({ if: [{ or: [{ and: [isPro, isAdult] }, isTeam] }, 'on'] });
  t.equal(both.rules.length, 2);
  t.strictSame(both.rules[1]?.clauses, [plan('team')]);
});

test('what has no clauses stays an expression, and the rest becomes rules', async (t) => {
  const isPart = { in: ['@example.com', { var: 'email' }] };
  const isPro = { '==': [{ var: 'plan' }, 'pro'] };
  const { rules, fallthrough } = map({ if: [isPart, 'on', isPro, 'on'] });
  t.strictSame(
    rules.map(({ serve }) => serve),
    [{ logic: { if: [isPart, 'on'] } }, { variant: 'on' }],
  );
  t.strictSame(fallthrough, { variant: 'off' });
});

test('from a branch on whose result is an expression, all of it stays one', async (t) => {
  const isPart = { in: ['@example.com', { var: 'email' }] };
  const { rules } = map({ if: [isPart, { var: 'variant' }, true, 'on'] });
  t.strictSame(rules[0]?.serve, { logic: { if: [isPart, { var: 'variant' }, true, 'on'] } });
});

test('a split leaves those without a unit to the default variant', async (t) => {
  const { rules, fallthrough } = map({
    fractional: [
      ['on', 1],
      ['off', 3],
    ],
  });
  t.match(fallthrough, { split: { total: 4, salt: 'f', bucketBy: 'targetingKey' } });
  t.match(rules, [
    { serve: { variant: 'off' }, clauses: [{ anyOf: [{ operator: 'notExists' }, {}] }] },
  ]);
});

test('more than a rule may hold stays an expression', async (t) => {
  const many = Array.from({ length: 60 }, (_, index) => ({ '==': [{ var: `a${index}` }, 'x'] }));
  t.match(map({ if: [{ and: many }, 'on'] }).rules, [{ clauses: [], serve: { logic: {} } }]);
});
