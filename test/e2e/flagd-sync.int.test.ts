import { FlagdProvider } from '@openfeature/flagd-provider';
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { test } from 'tap';
import { freePort } from '../support/free-port.js';
import { testService } from '../support/service.js';
import { until } from '../support/until.js';

const flag = (variants: Record<string, unknown>, defaultVariant: string, more: object = {}) => ({
  state: 'ENABLED',
  variants,
  defaultVariant,
  ...more,
});

const FILE = {
  flags: {
    switch: flag({ on: true, off: false }, 'off', {
      targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] },
    }),
    text: flag({ a: 'alpha', b: 'beta' }, 'b'),
    whole: flag({ a: 1, b: 42 }, 'b'),
    float: flag({ a: 1.5, b: 2 }, 'a'),
    object: flag({ a: { colour: 'red', sizes: [1, 2] } }, 'a'),
    shared: flag({ on: true, off: false }, 'off', {
      targeting: {
        fractional: [
          ['on', 50],
          ['off', 50],
        ],
      },
    }),
    nothing: { state: 'DISABLED', variants: { on: true }, defaultVariant: 'on' },
  },
};

const texts = { yes: 'y', no: 'n', other: 'o' };
const when = (condition: unknown, more: object = {}) =>
  flag(texts, 'no', { targeting: { if: [condition, 'yes', 'other'] }, ...more });
const version = (operator: string) => when({ sem_ver: [{ var: 'version' }, operator, '2.1.0'] });
const share = (...split: unknown[]) => flag(texts, 'no', { targeting: { fractional: split } });
const NOW = { var: '$flagd.timestamp' };

/** Every kind of evaluation that the scenarios of flagd's test bed have. */
const KINDS = {
  $evaluators: {
    insider: { ends_with: [{ var: 'email' }, '@example.com'] },
    early: { in: ['e', { var: 'letters' }] },
  },
  metadata: { team: 'shop' },
  flags: {
    'starts-with': when({ starts_with: [{ var: 'id' }, 'abc'] }),
    'ends-with': when({ ends_with: [{ var: 'id' }, 'xyz'] }),
    'ver-eq': version('='),
    'ver-ne': version('!='),
    'ver-lt': version('<'),
    'ver-le': version('<='),
    'ver-gt': version('>'),
    'ver-ge': version('>='),
    'ver-minor': version('~'),
    'ver-major': version('^'),
    referred: when({ $ref: 'insider' }),
    'referred-within': when({ and: [{ $ref: 'insider' }, { $ref: 'early' }] }),
    past: when({ '>': [NOW, 1_000] }),
    future: when({ '<': [NOW, 1_000] }),
    'own-key': when({ '==': [{ var: '$flagd.flagKey' }, 'own-key'] }),
    'by-key': when({ '==': [{ var: 'targetingKey' }, ''] }),
    'gone-variant': flag(texts, 'no', { targeting: { if: [true, 'gone', 'yes'] } }),
    'null-variant': flag(texts, 'no', { targeting: { if: [{ var: 'vip' }, 'yes', null] } }),
    'no-targeting': flag(texts, 'no', { targeting: {} }),
    'null-default': { state: 'ENABLED', variants: texts, defaultVariant: null },
    'no-default': { state: 'ENABLED', variants: texts },
    'no-default-hit': { state: 'ENABLED', variants: texts, targeting: { if: [true, 'yes'] } },
    'no-default-miss': { state: 'ENABLED', variants: texts, targeting: { if: [false, 'yes'] } },
    disabled: flag(texts, 'no', { state: 'DISABLED', targeting: { if: [true, 'yes'] } }),
    described: flag(texts, 'no', { metadata: { owner: 'anna', level: 3, beta: true } }),
    weights: share(['yes', 50], ['no', 30], ['other', 20]),
    shorthand: share(['yes'], ['no', 1]),
    salted: share({ cat: ['s', { var: 'email' }] }, ['yes', 1], ['no', 1]),
    'nested-if': flag(texts, 'no', {
      targeting: {
        if: [
          { ends_with: [{ var: 'email' }, '@example.com'] },
          {
            fractional: [
              ['yes', 50],
              ['other', 50],
            ],
          },
          'no',
        ],
      },
    }),
    'nested-share': share([{ if: [{ var: 'vip' }, 'yes', 'other'] }, 50], ['no', 50]),
    'zero-weight': share(['yes', 0], ['no', 100]),
  },
};

type Context = Readonly<Record<string, string | number | boolean>>;
type Case = readonly [flag: string, context: Context, value: string];

const OWN = 'code default';
const VERSIONS = ['2.0.9', '2.1.0', '2.1.7', '2.2.0', '3.0.0', 'two', '2.1', ''];
const HELD: Readonly<Record<string, readonly string[]>> = {
  'ver-eq': ['2.1.0', '2.1'],
  'ver-ne': ['2.0.9', '2.1.7', '2.2.0', '3.0.0'],
  'ver-lt': ['2.0.9'],
  'ver-le': ['2.0.9', '2.1.0', '2.1'],
  'ver-gt': ['2.1.7', '2.2.0', '3.0.0'],
  'ver-ge': ['2.1.0', '2.1', '2.1.7', '2.2.0', '3.0.0'],
  'ver-minor': ['2.1.0', '2.1', '2.1.7'],
  'ver-major': ['2.0.9', '2.1.0', '2.1', '2.1.7', '2.2.0'],
};

const CASES: readonly Case[] = [
  ['starts-with', { id: 'abcdef' }, 'y'],
  ['starts-with', { id: 'zabc' }, 'o'],
  ['starts-with', { id: 3 }, 'o'],
  ['ends-with', { id: 'uvwxyz' }, 'y'],
  ['ends-with', { id: 'xyzz' }, 'o'],
  ...Object.entries(HELD).flatMap(([flag, held]) =>
    VERSIONS.map((version): Case => [flag, { version }, held.includes(version) ? 'y' : 'o']),
  ),
  ['referred', { email: 'a@example.com' }, 'y'],
  ['referred', { email: 'a@example.org' }, 'o'],
  ['referred-within', { email: 'a@example.com', letters: 'def' }, 'y'],
  ['referred-within', { email: 'a@example.com', letters: 'd' }, 'o'],
  ['past', {}, 'y'],
  ['future', {}, 'o'],
  ['own-key', {}, 'y'],
  ['by-key', { targetingKey: '' }, 'y'],
  ['by-key', { targetingKey: 'u' }, 'o'],
  ['gone-variant', {}, OWN],
  ['null-variant', { vip: true }, 'y'],
  ['null-variant', {}, 'n'],
  ['no-targeting', {}, 'n'],
  ['null-default', {}, OWN],
  ['no-default', {}, OWN],
  ['no-default-hit', {}, 'y'],
  ['no-default-miss', {}, OWN],
  ['disabled', {}, OWN],
  ['described', {}, 'n'],
  ['zero-weight', { targetingKey: 'u' }, 'n'],
  ['zero-weight', {}, 'n'],
];

const SHARES = ['weights', 'shorthand', 'salted', 'nested-if', 'nested-share'];

test('flagd in-process providers follow an environment', async (t) => {
  const port = await freePort();
  const service = await testService(t, { FLAGD_SYNC_PORT: String(port) });
  const imported = await service.post<{ flags: readonly { position: number }[] }>(
    '/projects/demo/import?environment=production',
    { body: FILE },
  );
  t.match(imported.body, { summary: { created: 7 } });

  const provider = new FlagdProvider({
    resolverType: 'in-process',
    host: '127.0.0.1',
    port,
    selector: service.serverKey,
    // This machine may be slow to connect while other tests run.
    deadlineMs: 5_000,
  });
  t.teardown(() => OpenFeature.close());
  await OpenFeature.setProviderAndWait('flagd', provider);
  const client = OpenFeature.getClient('flagd');
  await until('the imported flags are there', async () => {
    const { reason } = await client.getBooleanDetails('nothing', false);
    return reason !== 'ERROR';
  });

  await t.test('every type of flag is what it is here', async (t) => {
    const pro = { targetingKey: 'user1', plan: 'pro' };
    t.equal(await client.getBooleanValue('switch', false, pro), true);
    t.equal(await client.getBooleanValue('switch', true, { targetingKey: 'user1' }), false);
    t.equal(await client.getStringValue('text', ''), 'beta');
    t.equal(await client.getNumberValue('whole', 0), 42);
    t.equal(await client.getNumberValue('float', 0), 1.5);
    t.strictSame(await client.getObjectValue('object', {}), { colour: 'red', sizes: [1, 2] });
    t.match(await client.getBooleanDetails('nothing', true), { value: true, reason: 'DISABLED' });
    t.match(await client.getBooleanDetails('nobody', true), { errorCode: 'FLAG_NOT_FOUND' });
  });

  await t.test('a split puts everyone where we put them', async (t) => {
    const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
    t.plan(users.length);
    for (const targetingKey of users) {
      const ours = await service.get<{ variant: string }>(
        `/projects/demo/environments/production/evaluate/shared?targetingKey=${targetingKey}`,
      );
      const theirs = await client.getBooleanDetails('shared', false, { targetingKey });
      t.equal(theirs.variant, ours.body.variant);
    }
  });

  await t.test('the key does not come back as metadata', async (t) => {
    const { flagMetadata } = await client.getStringDetails('text', '');
    t.notMatch(JSON.stringify(flagMetadata), service.serverKey);
  });

  await t.test(
    'every kind of evaluation is the same here, by OFREP and in the process',
    async (t) => {
      const { body: report, status } = await service.post<{
        flags: readonly { flag: string; position: number; warnings?: unknown }[];
        metadata: unknown;
      }>('/projects/demo/import?environment=production', { body: KINDS });
      t.equal(status, 200);
      t.match(report, { summary: { refused: 0 }, metadata: { team: 'shop' } });
      t.ok(report.flags.find(({ flag }) => flag === 'gone-variant')?.warnings, 'is warned of');
      await until('the provider has them', async () => {
        const last = await client.getStringDetails('zero-weight', OWN);
        return last.value === 'n';
      });
      const byOfrep = async (flag: string, context: Context) => {
        const { body } = await service.send<{ value?: string; reason?: string; metadata?: object }>(
          'POST',
          `/ofrep/v1/evaluate/flags/${flag}`,
          { headers: { 'x-api-key': service.serverKey }, credential: null, body: { context } },
        );
        return body;
      };
      for (const [flag, context, value] of CASES) {
        const here = await byOfrep(flag, context);
        const there = await client.getStringDetails(flag, OWN, context);
        const told = `${flag} ${JSON.stringify(context)}`;
        t.strictSame([here.value ?? OWN, there.value], [value, value], told);
      }
      for (const flag of SHARES) {
        const given = new Set<unknown>();
        for (let nth = 0; nth < 12; nth += 1) {
          const context = {
            targetingKey: `u${nth}`,
            email: `u${nth}@example.com`,
            vip: nth % 2 > 0,
          };
          const here = await byOfrep(flag, context);
          const there = await client.getStringDetails(flag, OWN, context);
          t.equal(here.value, there.value, `${flag} of u${nth}`);
          given.add(here.value);
        }
        t.ok(given.size > 1, `${flag} gives more than one`);
      }
      const owner = { owner: 'anna', level: 3, beta: true };
      t.match((await byOfrep('described', {})).metadata, owner);
      t.match((await client.getStringDetails('described', OWN)).flagMetadata, owner);
      t.match(await client.getBooleanDetails('described', true), {
        value: true,
        errorCode: 'TYPE_MISMATCH',
      });
      t.match(await client.getStringDetails('disabled', OWN), { reason: 'DISABLED' });
      t.match(await byOfrep('disabled', {}), { reason: 'DISABLED' });
      t.match(await client.getStringDetails('no-default', OWN), { reason: 'DEFAULT' });
      t.match(await byOfrep('no-default', {}), { reason: 'DEFAULT' });
      t.match(await byOfrep('gone-variant', {}), { errorCode: 'GENERAL' });

      // Any position: also one inside of the import is a moment at which the environment can be exported.
      const positions = report.flags.map(({ position }) => position);
      const headers = { 'x-min-position': String(Math.max(...positions)) };
      await service.get('/projects/demo', { headers });
      for (const position of [Math.min(...positions), ...positions.slice(3, 6)]) {
        for (const at of [position - 1, position]) {
          const past = await service.get(
            `/projects/demo/environments/production/flagd.json?position=${at}`,
            { credential: service.serverKey },
          );
          t.equal(past.status, 200, `at ${at}: ${past.text.slice(0, 200)}`);
        }
      }
    },
  );

  await t.test('a change is followed live', async (t) => {
    const changed = new Promise<readonly string[]>((resolve) => {
      client.addHandler(ProviderEvents.ConfigurationChanged, (details) => {
        resolve(details?.flagsChanged ?? []);
      });
    });
    await service.put('/projects/demo/flags/text/environments/production/fallthrough', {
      body: { variant: 'a' },
    });
    t.strictSame(await changed, ['text']);
    t.equal(await client.getStringValue('text', ''), 'alpha');
  });

  await t.test('without a server key there is nothing', async (t) => {
    const stranger = new FlagdProvider({
      resolverType: 'in-process',
      host: '127.0.0.1',
      port,
      selector: 'cf_srv_unknown',
      deadlineMs: 5_000,
      fatalStatusCodes: ['UNAUTHENTICATED'],
    });
    await t.rejects(stranger.initialize(), /server key/);
    await stranger.onClose();
  });
});
