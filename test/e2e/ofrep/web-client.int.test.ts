import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, type Provider, ProviderEvents, ProviderStatus } from '@openfeature/web-sdk';
import { EventSource } from 'eventsource';
import { test } from 'tap';
import { createOfrepFlags, issueKey, setVariant } from '../../support/ofrep-flags.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

// What a browser has and Node 20 has not.
Object.assign(globalThis, { EventSource });

type Sent = Readonly<{ url: string; ifNoneMatch: string | null; status: number }>;

test('the web SDK', async (t) => {
  const service = await testService(t);
  await createOfrepFlags(service);
  const { key, keyId } = await issueKey(service, 'client');
  t.teardown(() => OpenFeature.close());

  /** What went over the wire. */
  const sent: Sent[] = [];
  const providerWith = (apiKey: string): Provider =>
    new OFREPWebProvider({
      baseUrl: service.url,
      headers: [['X-API-Key', apiKey]],
      cacheMode: 'disabled',
      fetchImplementation: async (input: string | URL | Request, init?: RequestInit) => {
        const request = new Request(input, init);
        const ifNoneMatch = request.headers.get('if-none-match');
        const answer = await fetch(request);
        sent.push({ url: request.url, ifNoneMatch, status: answer.status });
        return answer;
      },
    }) as Provider;

  await OpenFeature.setContext({ targetingKey: 'anna' });
  await OpenFeature.setProviderAndWait(providerWith(key));
  const client = OpenFeature.getClient();
  const streams = async (): Promise<number> => {
    const { text } = await service.send('GET', '/metrics');
    return Number(/^chronoflag_event_streams (\d+)$/m.exec(text)?.[1]);
  };

  await t.test('every type, and what is not there', async (t) => {
    t.match(client.getBooleanDetails('a-boolean', false), { value: true, reason: 'STATIC' });
    t.equal(client.getStringValue('a-string', 'x'), 'ünï');
    t.equal(client.getNumberValue('an-integer', 1), 10);
    t.equal(client.getNumberValue('a-float', 1), 10);
    t.strictSame(client.getObjectValue('an-object', {}), { list: [1, { a: null }] });
    t.match(client.getBooleanDetails('disabled', true), { value: true, reason: 'DISABLED' });
    t.match(client.getBooleanDetails('none', true), { errorCode: 'FLAG_NOT_FOUND' });
    t.match(client.getStringDetails('a-boolean', 'x'), { errorCode: 'TYPE_MISMATCH' });
  });

  await t.test('a change reaches it by itself', async (t) => {
    await until('its stream is open', async () => (await streams()) === 1);
    const changed: string[] = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, (details) => {
      changed.push(...(details?.flagsChanged ?? []));
    });
    await setVariant(service, 'a-boolean', 'v1');
    await until('it serves the new value', () => !client.getBooleanValue('a-boolean', true));
    t.strictSame([...new Set(changed)], ['a-boolean']);
    const refetch = sent.at(-1);
    t.match(refetch, { url: /flagConfigEtag=[0-9a-f]{32}\.\d+$/, ifNoneMatch: /^"/, status: 200 });
  });

  await t.test('another user gets other values', async (t) => {
    const targets = '/projects/demo/flags/a-string/environments/production/targets/add';
    await service.post(targets, { body: { variant: 'v1', keys: ['bert'] } });
    const told = () => client.getStringDetails('a-string', 'x');
    await until('the change has come', () => told().reason === 'DEFAULT');
    await OpenFeature.setContext({ targetingKey: 'bert' });
    t.match(told(), { value: '', reason: 'TARGETING_MATCH' });
    await OpenFeature.setContext({ targetingKey: 'anna' });
    t.match(told(), { value: 'ünï', reason: 'DEFAULT' });
  });

  await t.test('the same user is told that nothing has changed', async (t) => {
    await OpenFeature.setContext({ targetingKey: 'anna', unused: 1 });
    t.match(sent.at(-1), { ifNoneMatch: /^"/, status: 304 });
    t.equal(client.getStringValue('a-string', 'x'), 'ünï');
  });

  await t.test('attributes decide also when the targeting key stays', async (t) => {
    const path = '/projects/demo/flags/an-integer/environments/production/fallthrough';
    const split = [
      { variant: 'v0', percent: 50 },
      { variant: 'v1', percent: 50 },
    ];
    await service.put(path, { body: { split, bucketBy: 'plan' } });
    await until('it is split', () => client.getNumberDetails('an-integer', 1).reason === 'DEFAULT');
    await OpenFeature.setContext({ targetingKey: 'anna', plan: 'pro' });
    const split50 = client.getNumberDetails('an-integer', 1);
    t.equal(split50.reason, 'SPLIT');
    t.not(split50.variant, undefined);
  });

  await t.test('a revoked key ends its stream', async () => {
    await service.post(`/projects/demo/environments/production/keys/${keyId}/revoke`);
    await until('the stream has ended', async () => (await streams()) === 0);
  });

  await t.test('a key that is refused is fatal', async (t) => {
    const domain = 'refused';
    await t.rejects(OpenFeature.setProviderAndWait(domain, providerWith(key)));
    t.equal(OpenFeature.getClient(domain).providerStatus, ProviderStatus.FATAL);
    t.equal(OpenFeature.getClient(domain).getBooleanValue('a-boolean', true), true);
  });
});
