import { OFREPProvider } from '@openfeature/ofrep-provider';
import { type Client, ErrorCode, OpenFeature, type Provider } from '@openfeature/server-sdk';
import { test, type Test } from 'tap';
import { createOfrepFlags, issueKey, setVariant, untilServed } from '../../support/ofrep-flags.js';
import { currentOfrepProvider } from '../../support/ofrep-providers.js';
import { testService } from '../../support/service.js';

type Header = [string, string];
type ProviderFor = (baseUrl: string, headers: Header[]) => Provider;

/** Of ofrep-core 2.3 and of the ofrep-provider that applications of 2024 have. */
const PROVIDERS: Readonly<Record<'current' | 'old', ProviderFor>> = {
  current: (baseUrl, headers) => currentOfrepProvider({ baseUrl, headers }),
  old: (baseUrl, headers) => new OFREPProvider({ baseUrl, headers }),
};

const checkTypes = async (t: Test, client: Client): Promise<void> => {
  const served = { variant: 'v0', reason: 'STATIC', flagMetadata: {} };
  t.match(await client.getBooleanDetails('a-boolean', false), { ...served, value: true });
  t.match(await client.getStringDetails('a-string', 'x'), { ...served, value: 'ünï' });
  t.match(await client.getNumberDetails('an-integer', 1), { ...served, value: 10 });
  t.match(await client.getNumberDetails('a-float', 1), { ...served, value: 10 });
  t.match(await client.getObjectDetails('an-object', {}), {
    ...served,
    value: { list: [1, { a: null }] },
  });
};

test('server SDKs', async (t) => {
  const service = await testService(t);
  await createOfrepFlags(service);
  const { key: clientKey } = await issueKey(service, 'client');
  t.teardown(() => OpenFeature.clearProviders());
  const clientOf = async (kind: keyof typeof PROVIDERS, headers: Header[], url = service.url) => {
    const domain = `${kind} ${headers.join(' ')} ${url}`;
    await OpenFeature.setProviderAndWait(domain, PROVIDERS[kind](url, headers));
    return OpenFeature.getClient(domain);
  };

  for (const kind of ['current', 'old'] as const) {
    const bearer: Header[] = [['Authorization', `Bearer ${service.serverKey}`]];

    await t.test(`${kind}: every type, by either header`, async (t) => {
      await checkTypes(t, await clientOf(kind, bearer));
      await checkTypes(t, await clientOf(kind, [['X-API-Key', service.serverKey]]));
    });

    await t.test(`${kind}: a base URL that ends with a slash`, async (t) => {
      await checkTypes(t, await clientOf(kind, bearer, `${service.url}/`));
    });

    await t.test(`${kind}: what is not there and what is of another type`, async (t) => {
      const client = await clientOf(kind, bearer);
      for (const key of ['none', 'a/b', 'ä b'])
        t.match(
          await client.getBooleanDetails(key, true),
          { value: true, reason: 'ERROR', errorCode: ErrorCode.FLAG_NOT_FOUND },
          key,
        );
      t.match(await client.getStringDetails('a-boolean', 'x'), {
        value: 'x',
        errorCode: ErrorCode.TYPE_MISMATCH,
      });
    });

    await t.test(`${kind}: refused keys leave the application its defaults`, async (t) => {
      const headers: Readonly<Record<string, Header[]>> = {
        none: [],
        unknown: [['X-API-Key', 'cf_srv_0']],
        'of a client': [['X-API-Key', clientKey]],
      };
      for (const [what, given] of Object.entries(headers)) {
        const details = await (await clientOf(kind, given)).getBooleanDetails('a-boolean', false);
        t.match(details, { value: false, reason: 'ERROR', errorCode: ErrorCode.GENERAL }, what);
      }
    });

    await t.test(`${kind}: a context that is none is the client's fault`, async (t) => {
      const client = await clientOf(kind, bearer);
      const details = await client.getBooleanDetails('a-boolean', false, {
        targetingKey: 'x'.repeat(5_000),
      });
      t.match(details, { value: false, errorCode: ErrorCode.INVALID_CONTEXT });
    });
  }

  await t.test('a disabled flag is the default of the code, and no error', async (t) => {
    const client = await clientOf('current', [['X-API-Key', service.serverKey]]);
    const details = await client.getBooleanDetails('disabled', true);
    t.match(details, { value: true, reason: 'DISABLED' });
    t.equal(details.errorCode, undefined);
    // The old one knows no answers without a value; the application gets its default all the same.
    const old = await clientOf('old', [['X-API-Key', service.serverKey]]);
    t.equal(await old.getBooleanValue('disabled', true), true);
  });

  await t.test('the context decides', async (t) => {
    const targets = '/projects/demo/flags/a-boolean/environments/production/targets/add';
    await service.post(targets, { body: { variant: 'v1', keys: ['anna'] } });
    await untilServed(service, await setVariant(service, 'a-boolean', 'v0'));
    const client = await clientOf('current', [['X-API-Key', service.serverKey]]);
    t.match(await client.getBooleanDetails('a-boolean', true, { targetingKey: 'anna' }), {
      value: false,
      reason: 'TARGETING_MATCH',
    });
    t.match(await client.getBooleanDetails('a-boolean', false, { targetingKey: 'bert' }), {
      value: true,
      reason: 'DEFAULT',
    });
  });

  await t.test("a flag's own metadata reaches the application", async (t) => {
    const client = await clientOf('current', [['X-API-Key', service.serverKey]]);
    t.strictSame((await client.getStringDetails('a-string', 'x')).flagMetadata, {});
  });
});
