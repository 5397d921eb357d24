import { test } from 'tap';
import { type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import { type Prerequisite } from '../../../src/domain/flag/configuration.js';
import { aContext as user, resolve } from '../../support/evaluation.js';
import { aRuleset, aSplit } from '../../support/rulesets.js';

const needs = (key: string, ...prerequisites: readonly Prerequisite[]): Ruleset =>
  aRuleset(key, { configuration: { prerequisites } });

const flag = needs('f', { flagKey: 'g', variants: ['on', 'maybe'] });

test('a prerequisite that serves one of the variants is met, whatever the reason', async (t) => {
  const disabled = aRuleset('g', { configuration: { enabled: false, offVariant: 'on' } });
  const split = aRuleset('g', { configuration: { fallthrough: aSplit([['on', 100_000]]) } });
  const targeted = aRuleset('g', {
    configuration: {
      targets: [{ variant: 'on', keys: ['anna'] }],
      fallthrough: { variant: 'off' },
    },
  });
  for (const other of [aRuleset('g'), disabled, split, targeted])
    t.match(resolve(flag, user('anna'), [other]), { variant: 'on', reason: 'DEFAULT' });
});

test('one that serves another variant, or none, or is not there, is not', async (t) => {
  const others = [
    [aRuleset('g', { configuration: { fallthrough: { variant: 'off' } } })],
    [aRuleset('g', { configuration: { fallthrough: { variant: null } } })],
    [aRuleset('g', { configuration: { fallthrough: { variant: 'gone' } } })],
    [],
  ];
  for (const other of others)
    t.match(resolve(flag, user('anna'), other), {
      variant: 'off',
      value: false,
      reason: 'PREREQUISITE_FAILED',
    });
});

test('all must be met', async (t) => {
  const both = needs('f', { flagKey: 'g', variants: ['on'] }, { flagKey: 'h', variants: ['off'] });
  const failing = resolve(both, user('anna'), [aRuleset('g'), aRuleset('h')]);
  t.equal(failing.reason, 'PREREQUISITE_FAILED');
  const h = aRuleset('h', { configuration: { fallthrough: { variant: 'off' } } });
  t.equal(resolve(both, user('anna'), [aRuleset('g'), h]).reason, 'DEFAULT');
});

test('they come before targets and rules, and after being off', async (t) => {
  const configuration = {
    prerequisites: [{ flagKey: 'gone', variants: ['on'] }],
    targets: [{ variant: 'on', keys: ['anna'] }],
  };
  t.equal(resolve(aRuleset('f', { configuration })).reason, 'PREREQUISITE_FAILED');
  const off = { configuration: { ...configuration, enabled: false } };
  t.equal(resolve(aRuleset('f', off)).reason, 'DISABLED');
  t.equal(resolve(aRuleset('f', { ...off, isArchived: true })).reason, 'DISABLED');
});

test('without off variant there is no value', async (t) => {
  const configuration = {
    offVariant: null,
    prerequisites: [{ flagKey: 'gone', variants: ['on'] }],
  };
  const answer = resolve(aRuleset('f', { configuration }));
  t.equal(answer.reason, 'PREREQUISITE_FAILED');
  t.notOk(Object.hasOwn(answer, 'value'));
});

test('the off variant of a prerequisite that fails itself may meet', async (t) => {
  const g = needs('g', { flagKey: 'gone', variants: ['on'] });
  t.equal(resolve(needs('f', { flagKey: 'g', variants: ['off'] }), user('a'), [g]).variant, 'on');
  t.equal(resolve(needs('f', { flagKey: 'g', variants: ['on'] }), user('a'), [g]).variant, 'off');
});

/** f0 needs f1, and so on. */
const chain = (references: number): readonly Ruleset[] =>
  Array.from({ length: references + 1 }, (_, index) =>
    index === references
      ? aRuleset(`f${index}`)
      : needs(`f${index}`, { flagKey: `f${index + 1}`, variants: ['on'] }),
  );

test('ten references after another are followed, no more', async (t) => {
  const reason = (references: number) => {
    const [first = flag, ...others] = chain(references);
    return resolve(first, user('a'), others).reason;
  };
  t.equal(reason(10), 'DEFAULT');
  t.equal(reason(11), 'PREREQUISITE_FAILED');
});

test('a circle, which no command makes, is not met', async (t) => {
  const [f, g] = [
    needs('f', { flagKey: 'g', variants: ['on'] }),
    needs('g', { flagKey: 'f', variants: ['on'] }),
  ];
  t.equal(resolve(f, user('a'), [g]).reason, 'PREREQUISITE_FAILED');
});
