import { test } from 'tap';
import { type Rule } from '../../../src/domain/flag/configuration.js';
import { type AttributeClause, type Clause } from '../../../src/domain/targeting/clause.js';
import { aContext as user, aSegment, NOW_MS, resolve } from '../../support/evaluation.js';
import { aRuleset, aSplit } from '../../support/rulesets.js';

const plan = (...values: AttributeClause['values']): AttributeClause => ({
  attribute: 'plan',
  operator: 'in',
  values,
});
const country = (...values: AttributeClause['values']): AttributeClause => ({
  attribute: 'country',
  operator: 'in',
  values,
});

const rule = (id: string, clauses: readonly Clause[], serve: Rule['serve']): Rule => ({
  id,
  description: '',
  clauses,
  serve,
});

const withRules = (...rules: readonly Rule[]) =>
  aRuleset('f', { configuration: { rules, fallthrough: { variant: 'off' } } });

const on = { variant: 'on' };
const off = { variant: 'off' };

test('the first rule whose clauses are all true serves its variant', async (t) => {
  const flag = withRules(
    rule('swiss-pro', [plan('pro'), country('CH')], on),
    rule('pro', [plan('pro')], off),
  );
  t.match(resolve(flag, user('a', { plan: 'pro', country: 'CH' })), {
    variant: 'on',
    value: true,
    reason: 'TARGETING_MATCH',
    ruleId: 'swiss-pro',
  });
  t.match(resolve(flag, user('a', { plan: 'pro', country: 'DE' })), {
    variant: 'off',
    ruleId: 'pro',
  });
  const none = resolve(flag, user('a', { plan: 'free' }));
  t.match(none, { variant: 'off', reason: 'DEFAULT' });
  t.notOk(Object.hasOwn(none, 'ruleId'));
});

test('a clause that is unknown keeps its rule from matching, negated or not', async (t) => {
  const negated = withRules(rule('others', [{ ...plan('free'), negate: true }], on));
  t.equal(resolve(negated, user('a', { plan: 'pro' })).reason, 'TARGETING_MATCH');
  for (const attributes of [{}, { plan: null }, { plan: 7 }, { plan: { a: 1 } }])
    t.equal(resolve(negated, user('a', attributes)).reason, 'DEFAULT', JSON.stringify(attributes));
});

test('a group is true when any of its clauses is, also beside unknown ones', async (t) => {
  const flag = withRules(rule('either', [{ anyOf: [plan('pro'), country('CH')] }], on));
  t.equal(resolve(flag, user('a', { country: 'CH' })).ruleId, 'either');
  t.equal(resolve(flag, user('a', { plan: 'pro', country: 'DE' })).ruleId, 'either');
  t.equal(resolve(flag, user('a', { plan: 'free' })).reason, 'DEFAULT');
  t.equal(resolve(flag, user('a')).reason, 'DEFAULT');
});

test('an individual target comes before every rule', async (t) => {
  const configuration = {
    targets: [{ variant: 'off', keys: ['anna'] }],
    rules: [rule('all', [{ attribute: 'plan', operator: 'exists', values: [] }], on)],
  };
  const flag = aRuleset('f', { configuration });
  t.equal(resolve(flag, user('anna', { plan: 'pro' })).variant, 'off');
  t.equal(resolve(flag, user('bert', { plan: 'pro' })).ruleId, 'all');
});

test('a rule serves a split of its own, by its own attribute and salt', async (t) => {
  const split = aSplit(
    [
      ['on', 99_999],
      ['off', 1],
    ],
    { bucketBy: 'company.id', salt: 'other' },
  );
  const flag = withRules(rule('half', [plan('pro')], split), rule('rest', [plan('pro')], off));
  const companion = { plan: 'pro', company: { id: 'c-1' } };
  t.match(resolve(flag, user('a', companion)), { reason: 'SPLIT', variant: 'on', ruleId: 'half' });
});

test('a split whose unit is missing is skipped: the next rule is tried', async (t) => {
  const split = aSplit(
    [
      ['on', 99_999],
      ['off', 1],
    ],
    { bucketBy: 'company.id' },
  );
  const flag = withRules(rule('half', [plan('pro')], split), rule('rest', [plan('pro')], off));
  for (const company of [undefined, { id: '' }, { id: 1.5 }, 'c-1'])
    t.match(resolve(flag, user('a', { plan: 'pro', company })), {
      reason: 'TARGETING_MATCH',
      ruleId: 'rest',
    });
});

test('a rule that gives everything to one variant holds also without a unit', async (t) => {
  const nobody = aSplit([
    ['on', 0],
    ['off', 100_000],
  ]);
  const flag = withRules(rule('none', [plan('pro')], nobody), rule('all', [plan('pro')], on));
  for (const context of [user(), user('anna')])
    t.match(resolve(flag, { ...context, attributes: { plan: 'pro' } }), {
      reason: 'SPLIT',
      variant: 'off',
      ruleId: 'none',
    });
});

test('a rule that serves nothing leaves the value to the application', async (t) => {
  const flag = withRules(rule('nothing', [plan('pro')], { variant: null }));
  const answer = resolve(flag, user('a', { plan: 'pro' }));
  t.match(answer, { reason: 'TARGETING_MATCH', ruleId: 'nothing' });
  t.notOk(Object.hasOwn(answer, 'value'));
});

test('what an expression names is served; without a name the next rule is tried', async (t) => {
  const logic = { if: [{ '==': [{ var: 'tier' }, 'gold'] }, 'on', null] };
  const flag = withRules(rule('logic', [plan('pro')], { logic }), rule('rest', [plan('pro')], off));
  t.match(resolve(flag, user('a', { plan: 'pro', tier: 'gold' })), {
    reason: 'TARGETING_MATCH',
    variant: 'on',
    ruleId: 'logic',
  });
  t.equal(resolve(flag, user('a', { plan: 'pro' })).ruleId, 'rest');
  t.equal(resolve(flag, user('a', { tier: 'gold' })).reason, 'DEFAULT', 'clauses come first');
});

test('an expression without clauses is asked for everyone', async (t) => {
  const flag = withRules(rule('logic', [], { logic: { var: 'wanted' } }));
  t.equal(resolve(flag, user('a', { wanted: 'on' })).variant, 'on');
  t.match(resolve(flag, user('a', { wanted: 'gone' })), {
    reason: 'ERROR',
    errorCode: 'GENERAL',
    ruleId: 'logic',
  });
  t.equal(resolve(flag, user('a')).reason, 'DEFAULT');
});

test('a result that is true or 1 names the variant of that name', async (t) => {
  const variants = [
    { name: 'true', value: true },
    { name: '1', value: false },
  ];
  const configuration = { rules: [rule('logic', [], { logic: { var: 'wanted' } })] };
  const flag = aRuleset('f', { variants, configuration });
  t.equal(resolve(flag, user('a', { wanted: true })).variant, 'true');
  t.equal(resolve(flag, user('a', { wanted: 1 })).variant, '1');
});

test('a flag is STATIC only when it does not look at the context at all', async (t) => {
  const rules = [rule('never', [plan('x')], on)];
  const prerequisites = [{ flagKey: 'g', variants: ['on'] }];
  const reason = (configuration: Parameters<typeof aRuleset>[1]) =>
    resolve(aRuleset('f', configuration), user('a'), [aRuleset('g')]).reason;
  t.equal(reason({}), 'STATIC');
  t.equal(reason({ configuration: { rules: [], prerequisites: [] } }), 'STATIC');
  t.equal(reason({ configuration: { rules } }), 'DEFAULT');
  t.equal(reason({ configuration: { prerequisites } }), 'DEFAULT');
  t.equal(reason({ configuration: { rules, enabled: false } }), 'DISABLED');
});

test('now is the instant of the evaluation, wherever the clause stands', async (t) => {
  const inMarch: Clause = {
    attribute: '$now',
    operator: 'before',
    values: ['2026-04-01T00:00:00Z'],
  };
  const segment = aSegment('march', { rules: [{ id: 'r', description: '', clauses: [inMarch] }] });
  const flags = [
    withRules(rule('march', [inMarch], on)),
    withRules(rule('march', [{ segments: ['march'] }], on)),
  ];
  for (const flag of flags) {
    const at = (nowMs: number) => resolve(flag, user('a', {}, nowMs), [], [segment]).variant;
    t.equal(at(NOW_MS), 'on');
    t.equal(at(NOW_MS + 32 * 86_400_000), 'off');
  }
});
