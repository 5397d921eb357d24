import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, type Provider, ProviderStatus } from '@openfeature/web-sdk';
import { test } from 'tap';
import { createOfrepFlags, issueKey } from '../../support/ofrep-flags.js';
import { testService } from '../../support/service.js';

test('the web SDK over its limit', async (t) => {
  const service = await testService(t, { RATE_LIMIT_CLIENT_EVALUATION: '2/min' });
  await createOfrepFlags(service);
  const { key } = await issueKey(service, 'client');
  t.teardown(() => OpenFeature.close());

  const statuses: number[] = [];
  const provider = new OFREPWebProvider({
    baseUrl: service.url,
    headers: [['X-API-Key', key]],
    cacheMode: 'disabled',
    changeDetection: 'none',
    fetchImplementation: async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await fetch(input, init);
      statuses.push(answer.status);
      return answer;
    },
  }) as Provider;
  const become = (targetingKey: string): Promise<void> => OpenFeature.setContext({ targetingKey });

  await become('anna');
  await OpenFeature.setProviderAndWait(provider);
  const client = OpenFeature.getClient();
  t.equal(client.getStringValue('a-string', 'x'), 'ünï');
  await become('bert');
  t.strictSame(statuses, [200, 200]);

  await t.test('it keeps the values that it has', async (t) => {
    await become('carl');
    t.strictSame(statuses, [200, 200, 429]);
    t.equal(client.getStringValue('a-string', 'x'), 'ünï');
    t.not(client.providerStatus, ProviderStatus.FATAL);
  });

  await t.test('it reads Retry-After, and asks no more until then', async (t) => {
    await become('dora');
    await become('emil');
    t.strictSame(statuses, [200, 200, 429]);
    t.equal(client.getStringValue('a-string', 'x'), 'ünï');
  });
});
