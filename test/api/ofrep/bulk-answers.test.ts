import { test } from 'tap';
import { bulk, ofrepApp } from '../../support/ofrep-app.js';
import { aRuleset } from '../../support/rulesets.js';
import { until } from '../../support/until.js';

const byTarget = aRuleset('a', {
  configuration: { targets: [{ variant: 'off', keys: ['anna'] }] },
});

const variants = (answer: Awaited<ReturnType<typeof bulk>>): readonly unknown[] =>
  ((answer.body?.flags ?? []) as readonly { variant: string }[]).map(({ variant }) => variant);

test('nobody gets what was kept for another, nor what was kept of before a change', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: [byTarget] });
  const asked = async (targetingKey: string) =>
    variants(await bulk(ofrep, {}, '', { targetingKey }));
  for (let round = 0; round < 2; round += 1) {
    t.strictSame(await asked('anna'), ['off']);
    t.strictSame(await asked('bert'), ['on']);
  }
  ofrep.publish([aRuleset('a', { configuration: { enabled: false, offVariant: 'off' } })]);
  t.strictSame(await asked('bert'), ['off']);
  ofrep.publish([byTarget]);
  t.strictSame(await asked('bert'), ['on']);
});

test('what depends on the time is evaluated each time', async (t) => {
  const limit = new Date(Date.now() + 300).toISOString();
  const clause = { attribute: '$now', operator: 'before', values: [limit] } as const;
  const rule = { id: 'r', description: '', clauses: [clause], serve: { variant: 'off' } };
  const ofrep = await ofrepApp(t, {
    rulesets: [aRuleset('a', { configuration: { rules: [rule] } })],
  });
  t.strictSame(variants(await bulk(ofrep)), ['off']);
  await until('the time has come', async () => variants(await bulk(ofrep))[0] === 'on');
});

test('a flag whose prerequisite fails is off; one that is broken is a failure', async (t) => {
  const needing = aRuleset('needing', {
    configuration: { prerequisites: [{ flagKey: 'none', variants: ['on'] }], offVariant: 'off' },
    metadata: { owner: 'shop', level: 2, isOld: false },
  });
  const broken = aRuleset('broken', { configuration: { fallthrough: { variant: 'gone' } } });
  const ofrep = await ofrepApp(t, { rulesets: [needing, broken] });
  t.strictSame((await bulk(ofrep)).body?.flags, [
    {
      key: 'broken',
      errorCode: 'GENERAL',
      errorDetails: 'The flag names a variant that it does not have.',
      metadata: {},
    },
    {
      key: 'needing',
      value: false,
      reason: 'DISABLED',
      variant: 'off',
      metadata: { owner: 'shop', level: 2, isOld: false },
    },
  ]);
  const single = await ofrep.app.inject({
    method: 'POST',
    url: '/ofrep/v1/evaluate/flags/broken',
    headers: { 'x-api-key': ofrep.keys.server },
  });
  t.match(single, { statusCode: 400 });
  t.match(single.json(), { key: 'broken', errorCode: 'GENERAL', metadata: {} });
});
