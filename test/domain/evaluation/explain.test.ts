import { test } from 'tap';
import { explain } from '../../../src/domain/evaluation/explain/explain.js';
import { type Ruleset, type SegmentDefinition } from '../../../src/domain/evaluation/ruleset.js';
import { type AttributeClause, type Clause } from '../../../src/domain/targeting/clause.js';
import { aContext as user, anEnvironment, aSegment, NOW_MS } from '../../support/evaluation.js';
import { aRuleset, aSplit } from '../../support/rulesets.js';

const explained = (
  context: ReturnType<typeof user>,
  rulesets: readonly Ruleset[],
  segments: readonly SegmentDefinition[] = [],
) => {
  const environment = anEnvironment(rulesets, segments);
  const flag = environment.flags.get('f');
  if (flag === undefined) throw new Error('There is no flag f.');
  return explain(flag, context, environment).explanation;
};

const pro: AttributeClause = { attribute: 'plan', operator: 'in', values: ['pro'] };
const adult: AttributeClause = { attribute: 'age', operator: 'greaterThanOrEqual', values: [18] };
const ruleOf = (id: string, ...clauses: readonly Clause[]) => ({ id, description: '', clauses });
const on = { serve: { variant: 'on' } };

test('the step that decided is named', async (t) => {
  const targets = [{ variant: 'on', keys: ['anna'] }];
  const rules = [{ ...ruleOf('r', pro), ...on }];
  const steps: readonly (readonly [Parameters<typeof aRuleset>[1], string])[] = [
    [{ isArchived: true }, 'archived'],
    [{ configuration: { enabled: false } }, 'disabled'],
    [{ configuration: { prerequisites: [{ flagKey: 'g', variants: ['on'] }] } }, 'prerequisites'],
    [{ configuration: { targets, rules } }, 'target'],
    [{ configuration: { rules } }, 'rule'],
    [{}, 'fallthrough'],
  ];
  for (const [more, decidedBy] of steps) {
    const explanation = explained(user('anna', { plan: 'pro' }), [aRuleset('f', more)]);
    t.equal(explanation.decidedBy, decidedBy);
    t.equal(explanation.nowMs, NOW_MS);
    t.equal(explanation.target, decidedBy === 'target' ? 'anna' : undefined);
  }
});

test('each clause of each rule tried tells its value, its outcome and why it is unknown', async (t) => {
  const rules = [
    { ...ruleOf('adults', pro, adult), ...on },
    { ...ruleOf('all', { ...pro, negate: true }), ...on },
    { ...ruleOf('never', pro), ...on },
  ];
  const flag = aRuleset('f', { configuration: { rules } });
  const explanation = explained(user('anna', { plan: 'free' }), [flag]);
  t.strictSame(explanation.rules, [
    {
      ruleId: 'adults',
      description: '',
      outcome: 'false',
      clauses: [
        { ...pro, value: 'free', outcome: 'false' },
        { ...adult, outcome: 'unknown', why: 'missing' },
      ],
    },
    {
      ruleId: 'all',
      description: '',
      outcome: 'true',
      clauses: [{ ...pro, negate: true, value: 'free', outcome: 'true' }],
    },
  ]);
  t.strictSame(explanation.unknowns, [
    { place: 'rules[0].clauses[1]', name: 'age', why: 'missing' },
  ]);
});

test('every reason of being unknown has its name', async (t) => {
  const version: AttributeClause = { attribute: 'a', operator: 'semverEquals', values: ['1.0.0'] };
  const size: AttributeClause = { attribute: 'a', operator: 'sizeEquals', values: [1] };
  const plan: AttributeClause = { attribute: 'a', operator: 'in', values: ['x'] };
  const age: AttributeClause = { attribute: 'a', operator: 'lessThan', values: [1] };
  const cases: readonly (readonly [AttributeClause, unknown, string])[] = [
    [plan, undefined, 'missing'],
    [plan, null, 'null'],
    [plan, 7, 'wrong-type'],
    [plan, ['y', 7], 'element'],
    [version, 1, 'wrong-type'],
    [version, 'latest', 'unreadable'],
    [age, 'eighteen', 'unreadable'],
    [age, true, 'wrong-type'],
    [size, 'x', 'wrong-type'],
    [{ ...plan, operator: 'noneOf' }, ['y', null], 'element'],
  ];
  for (const [clause, value, why] of cases) {
    const rules = [{ ...ruleOf('r', clause), ...on }];
    const flag = aRuleset('f', { configuration: { rules } });
    const { unknowns } = explained(user('anna', value === undefined ? {} : { a: value }), [flag]);
    t.strictSame(unknowns, [{ place: 'rules[0].clauses[0]', name: 'a', why }]);
  }
});

test('a split tells its unit, hash, bucket, weights and variant', async (t) => {
  const split = aSplit(
    [
      ['on', 20_000],
      ['off', 80_000],
    ],
    { salt: 'demo' },
  );
  const flag = aRuleset('f', { configuration: { fallthrough: split } });
  const { split: told, decidedBy } = explained(user('anna'), [flag]);
  t.equal(decidedBy, 'fallthrough');
  t.match(told, { algorithm: 'murmur3-32', bucketBy: 'targetingKey', salt: 'demo', unit: 'anna' });
  const { hash = NaN, bucket, variant } = told ?? {};
  t.equal(bucket, Math.floor((hash * 100_000) / 2 ** 32));
  t.equal(variant, Number(bucket) < 20_000 ? 'on' : 'off');
  const without = explained(user(), [flag]).split;
  t.notOk(Object.hasOwn(without ?? {}, 'unit'));
});

test('a split that gives everything to one variant tells so without a unit', async (t) => {
  const whole = aSplit([
    ['on', 0],
    ['off', 100_000],
  ]);
  const rules = [{ ...ruleOf('none', pro), serve: whole }];
  const flag = aRuleset('f', { configuration: { rules, fallthrough: whole } });
  const { rules: tried, decidedBy } = explained(user(undefined, { plan: 'pro' }), [flag]);
  t.equal(decidedBy, 'rule');
  t.match(tried, [{ split: { weights: [{ weight: 0 }, { weight: 100_000 }], variant: 'off' } }]);
  t.match(explained(user(), [flag]), { decidedBy: 'fallthrough', split: { variant: 'off' } });
});

test('a rule that matches and has nothing to serve is marked', async (t) => {
  const byCompany = aSplit(
    [
      ['on', 99_999],
      ['off', 1],
    ],
    { bucketBy: 'company' },
  );
  const rules = [
    { ...ruleOf('split', pro), serve: byCompany },
    { ...ruleOf('logic', pro), serve: { logic: { var: 'wanted' } } },
    { ...ruleOf('last', pro), serve: { logic: 'on' } },
  ];
  const flag = aRuleset('f', { configuration: { rules } });
  const explanation = explained(user('anna', { plan: 'pro' }), [flag]);
  t.match(explanation.rules, [
    { isSkipped: true, split: { bucketBy: 'company' } },
    { isSkipped: true, chose: null },
    { chose: 'on' },
  ]);
  t.equal(explanation.decidedBy, 'rule');
});

test('prerequisites tell what they served, up to the first that is not met', async (t) => {
  const prerequisites = ['g', 'gone', 'h'].map((flagKey) => ({ flagKey, variants: ['on'] }));
  const flag = aRuleset('f', { configuration: { prerequisites } });
  const others = [aRuleset('g'), aRuleset('h')];
  t.strictSame(explained(user('anna'), [flag, ...others]).prerequisites, [
    { flagKey: 'g', variants: ['on'], reason: 'STATIC', served: 'on', isMet: true },
    { flagKey: 'gone', variants: ['on'], served: null, isMet: false },
  ]);
});

test('segments tell why one is a member, also through other segments', async (t) => {
  const rules = [{ ...ruleOf('r', { segments: ['beta', 'gone'] }, pro), ...on }];
  const segments = [
    aSegment('beta', {
      rules: [ruleOf('staff', { segments: ['staff'] }), ruleOf('adults', adult)],
    }),
    aSegment('staff', { included: ['bert'], excluded: ['anna'] }),
  ];
  const flag = aRuleset('f', { configuration: { rules } });
  const explanation = explained(user('anna', { age: 'x' }), [flag], segments);
  t.match(explanation.rules[0], {
    outcome: 'unknown',
    clauses: [
      {
        outcome: 'unknown',
        segments: [
          {
            segment: 'beta',
            revision: 0,
            outcome: 'false',
            because: 'no-rule',
            rules: [
              { clauses: [{ segments: [{ segment: 'staff', because: 'excluded' }] }] },
              { ruleId: 'adults', outcome: 'unknown' },
            ],
          },
          { segment: 'gone', outcome: 'unknown', because: 'not-there' },
        ],
      },
      { outcome: 'unknown' },
    ],
  });
  t.strictSame(explanation.unknowns, [
    {
      place: 'rules[0].clauses[0].segments[0].rules[1].clauses[0]',
      name: 'age',
      why: 'unreadable',
    },
    { place: 'rules[0].clauses[0].segments[1]', name: 'gone', why: 'not-there' },
    { place: 'rules[0].clauses[1]', name: 'plan', why: 'missing' },
  ]);
});

test('a segment that many rules name is told once', async (t) => {
  const rules = ['r1', 'r2'].map((id) => ({ ...ruleOf(id, { segments: ['beta'] }), ...on }));
  const flag = aRuleset('f', { configuration: { rules } });
  const explanation = explained(user('anna'), [flag], [aSegment('beta')]);
  t.match(explanation.rules, [
    { clauses: [{ segments: [{ because: 'no-rule', rules: [] }] }] },
    { clauses: [{ segments: [{ because: 'told', outcome: 'false' }] }] },
  ]);
});
