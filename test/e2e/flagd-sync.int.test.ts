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
    const { reason } = await client.getBooleanDetails('switch', false);
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
