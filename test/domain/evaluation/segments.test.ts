import { test } from 'tap';
import { type SegmentDefinition } from '../../../src/domain/evaluation/ruleset.js';
import { type Clause, type SegmentClause } from '../../../src/domain/targeting/clause.js';
import { aContext as user, aSegment, resolve } from '../../support/evaluation.js';
import { aRuleset } from '../../support/rulesets.js';

const pro: Clause = { attribute: 'plan', operator: 'in', values: ['pro'] };
const ruleOf = (...clauses: readonly Clause[]) => ({ id: 'r', description: '', clauses });

/** Whether a rule with this clause matches. */
const matches = (
  clause: SegmentClause,
  context: ReturnType<typeof user>,
  segments: readonly SegmentDefinition[],
): boolean => {
  const rules = [{ id: 'r', description: '', clauses: [clause], serve: { variant: 'on' } }];
  const ruleset = aRuleset('f', { configuration: { rules, fallthrough: { variant: 'off' } } });
  return resolve(ruleset, context, [], segments).variant === 'on';
};

const beta: SegmentClause = { segments: ['beta'] };
const notBeta: SegmentClause = { segments: ['beta'], negate: true };

test('excluded keys are not members, included ones are, else rules decide', async (t) => {
  const segments = [
    aSegment('beta', {
      included: ['anna', 'both'],
      excluded: ['carl', 'both'],
      rules: [ruleOf(pro)],
    }),
  ];
  const rows: readonly (readonly [context: ReturnType<typeof user>, isMember: boolean])[] = [
    [user('anna'), true],
    [user('anna', { plan: 'free' }), true],
    [user('carl', { plan: 'pro' }), false],
    [user('both', { plan: 'pro' }), false],
    [user('dora', { plan: 'pro' }), true],
    [user('dora', { plan: 'free' }), false],
    [user(undefined, { plan: 'pro' }), true],
  ];
  for (const [context, isMember] of rows) {
    t.equal(matches(beta, context, segments), isMember);
    t.equal(matches(notBeta, context, segments), !isMember);
  }
});

test('membership is known also when attributes are missing', async (t) => {
  const segments = [aSegment('beta', { rules: [ruleOf(pro)] })];
  for (const context of [user(), user('dora'), user('dora', { plan: 7 })]) {
    t.notOk(matches(beta, context, segments));
    t.ok(matches(notBeta, context, segments));
  }
});

test('any rule makes a member, all clauses of it must be true', async (t) => {
  const swiss: Clause = { attribute: 'country', operator: 'in', values: ['CH'] };
  const either = aSegment('beta', { rules: [ruleOf(pro), ruleOf(swiss)] });
  const both = aSegment('beta', { rules: [ruleOf(pro, swiss)] });
  t.ok(matches(beta, user('a', { country: 'CH' }), [either]));
  t.notOk(matches(beta, user('a', { country: 'CH' }), [both]));
  t.ok(matches(beta, user('a', { country: 'CH', plan: 'pro' }), [both]));
});

test('nobody is in an empty segment', async (t) => {
  t.notOk(matches(beta, user('anna'), [aSegment('beta')]));
  t.ok(matches(notBeta, user('anna'), [aSegment('beta')]));
});

test('a segment that is not there is unknown: neither in it nor not in it', async (t) => {
  t.notOk(matches(beta, user('anna'), []));
  t.notOk(matches(notBeta, user('anna'), []));
  const any = { segments: ['gone', 'beta'] };
  const segments = [aSegment('beta', { included: ['anna'] })];
  t.ok(matches(any, user('anna'), segments), 'another one is true');
  t.notOk(matches({ ...any, negate: true }, user('anna'), segments));
  t.notOk(matches({ ...any, negate: true }, user('bert'), segments), 'unknown beside false');
  t.notOk(matches(beta, user('constructor'), [aSegment('beta')]));
});

test('segments refer to segments', async (t) => {
  const segments = [
    aSegment('beta', { rules: [ruleOf({ segments: ['staff', 'partners'] })] }),
    aSegment('staff', { included: ['anna'] }),
    aSegment('partners', { rules: [ruleOf(pro, { segments: ['staff'], negate: true })] }),
  ];
  t.ok(matches(beta, user('anna'), segments));
  t.ok(matches(beta, user('bert', { plan: 'pro' }), segments));
  t.notOk(matches(beta, user('bert'), segments));
});

/** s0 refers to s1, and so on; the last includes anna. */
const chain = (length: number): readonly SegmentDefinition[] =>
  Array.from({ length }, (_, index) =>
    aSegment(
      index === 0 ? 'beta' : `s${index}`,
      index === length - 1
        ? { included: ['anna'] }
        : { rules: [ruleOf({ segments: [`s${index + 1}`] })] },
    ),
  );

test('ten references after another are followed, no more', async (t) => {
  t.ok(matches(beta, user('anna'), chain(11)));
  t.notOk(matches(beta, user('anna'), chain(12)));
});

test('a circle, which no command makes, ends', async (t) => {
  const circle = [
    aSegment('beta', { rules: [ruleOf({ segments: ['other'] })] }),
    aSegment('other', { rules: [ruleOf({ segments: ['beta', 'other'] })] }),
  ];
  t.notOk(matches(beta, user('anna'), circle));
});
