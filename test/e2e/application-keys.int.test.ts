import { test } from 'tap';
import { testService } from '../support/service.js';
import { until } from '../support/until.js';

type Issued = Readonly<{ keyId: string; key?: string; position: number }>;
type Listed = Readonly<{ items: readonly Readonly<Record<string, unknown>>[] }>;

const ENVIRONMENT = '/projects/demo/environments/production';
const KEYS = `${ENVIRONMENT}/keys`;
const PROBLEM = 'urn:chronoflag:problem:';

test('application keys', async (t) => {
  const service = await testService(t);
  const statusWith = async (key: string | undefined, path = `${ENVIRONMENT}/evaluate`) =>
    (await service.get(path, { credential: key ?? '' })).status;

  await t.test('a key is shown once, and works at once', async (t) => {
    const body = { kind: 'server', name: 'shop' };
    const headers = { 'idempotency-key': 'issue-1' };
    const first = await service.post<Issued>(KEYS, { body, headers });
    t.match(first, {
      status: 201,
      headers: { 'cache-control': 'no-store' },
      body: { result: 'recorded', key: /^cf_srv_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/ },
    });
    t.equal(first.headers.location, `/api/v1${KEYS}/${first.body.keyId}`);
    t.equal(await statusWith(first.body.key), 200);
    t.equal(await statusWith(`${String(first.body.key).slice(0, -1)}!`), 401);
    const again = await service.post<Issued>(KEYS, { body, headers });
    t.match(again, { status: 201, body: { keyId: first.body.keyId } });
    t.notOk('key' in again.body, 'a repeat cannot show it');
    t.match(await service.post(KEYS, { body: { ...body, name: 'other' }, headers }), {
      status: 422,
      body: { type: `${PROBLEM}idempotency-key-reused` },
    });
    const seen = { headers: { 'x-min-position': String(first.body.position) } };
    const audit = await service.get('/audit?limit=200', seen);
    t.match(audit.text, first.body.keyId);
    t.notMatch(audit.text, String(first.body.key), 'it is in no event');
  });

  await t.test('nothing is issued by a dry run', async (t) => {
    const body = { kind: 'client', name: 'dry' };
    const answer = await service.post<Issued>(`${KEYS}?dryRun=true`, { body });
    t.match(answer, {
      status: 200,
      body: { result: 'dry-run', events: [{ type: 'ApiKeyIssued' }] },
    });
    t.notOk('key' in answer.body);
  });

  await t.test('what cannot be issued or revoked', async (t) => {
    const body = { kind: 'server', name: 'x' };
    const past = { ...body, expiresAt: '2020-01-01T00:00:00Z' };
    t.match(await service.post(KEYS, { body: past }), {
      status: 422,
      body: { type: `${PROBLEM}expiry-in-past` },
    });
    for (const path of ['/projects/none/environments/production', '/projects/demo/environments/x'])
      t.equal((await service.post(`${path}/keys`, { body })).status, 404, path);
    t.equal((await service.post(KEYS, { body: { ...body, kind: 'admin' } })).status, 400);
    t.match(await service.post(`${KEYS}/0123456789ab/revoke`), {
      status: 404,
      body: { type: `${PROBLEM}api-key-not-found` },
    });
  });

  await t.test('a key is for one environment, and a client key for all its flags', async (t) => {
    const body = { kind: 'client', name: 'web' };
    const { key } = (await service.post<Issued>(KEYS, { body })).body;
    t.match(key, /^cf_cli_/);
    t.equal(await statusWith(key), 200);
    t.equal(await statusWith(key, `${ENVIRONMENT}/evaluate/some-flag`), 403);
    t.equal(await statusWith(key, '/projects/demo/environments/staging/evaluate'), 404);
    t.equal(await statusWith(key, '/projects/demo'), 401, 'it is no admin credential');
  });

  await t.test('a revoked key stops working, and stays in the list', async (t) => {
    const body = { kind: 'server', name: 'leaked', expiresAt: '2999-01-01T00:00:00+01:00' };
    const { key, keyId } = (await service.post<Issued>(KEYS, { body })).body;
    t.equal(await statusWith(key), 200);
    const elsewhere = `/projects/demo/environments/staging/keys/${keyId}/revoke`;
    t.equal((await service.post(elsewhere)).status, 404, 'it is not in another environment');
    t.match(await service.post(`${KEYS}/${keyId}/revoke?dryRun=true`), {
      body: { result: 'dry-run', events: [{ type: 'ApiKeyRevoked' }] },
    });
    t.equal(await statusWith(key), 200);
    t.match(await service.post(`${KEYS}/${keyId}/revoke`), { body: { result: 'recorded' } });
    t.equal(await statusWith(key), 401);
    t.match(await service.post(`${KEYS}/${keyId}/revoke`), { body: { result: 'unchanged' } });
    const { items } = (await service.get<Listed>(KEYS)).body;
    t.match(
      items.find((item) => item['keyId'] === keyId),
      { name: 'leaked', status: 'revoked', expiresAt: '2998-12-31T23:00:00.000Z' },
    );
    t.equal((await service.get('/projects/demo/environments/none/keys')).status, 404);
  });

  await t.test(
    'pages of other origins than the environment has are refused, as soon as it has some',
    async (t) => {
      const { key = '' } = (
        await service.post<Issued>(KEYS, { body: { kind: 'client', name: 'page' } })
      ).body;
      const from = async (origin: string): Promise<number> => {
        const options = { body: { context: {} }, credential: key, headers: { origin } };
        return (await service.send('POST', '/ofrep/v1/evaluate/flags', options)).status;
      };
      const change = (allowedOrigins: readonly string[] | null) =>
        service.patch('/projects/demo/environments/production', { body: { allowedOrigins } });
      t.equal(await from('https://elsewhere.example.com'), 200);
      t.equal((await change(['https://shop.example.com/path'])).status, 400, 'that is no origin');
      t.equal((await change(['https://shop.example.com'])).status, 200);
      await until('it counts', async () => (await from('https://elsewhere.example.com')) === 403);
      t.equal(await from('https://shop.example.com'), 200);
      await change(null);
      await until('it is over', async () => (await from('https://elsewhere.example.com')) === 200);
    },
  );

  await t.test('an expired key stops working by itself', async (t) => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const body = { kind: 'server', name: 'short', expiresAt };
    const { key } = (await service.post<Issued>(KEYS, { body })).body;
    t.equal(await statusWith(key), 200);
    await until('it has expired', async () => (await statusWith(key)) === 401);
    const options = { body: { context: {} }, headers: { 'x-api-key': String(key) } };
    const bulk = await service.send('POST', '/ofrep/v1/evaluate/flags', {
      ...options,
      credential: null,
    });
    t.match(bulk, { status: 401, body: { errorDetails: new RegExp(`expired at ${expiresAt}`) } });
    const { items } = (await service.get<Listed>(KEYS)).body;
    t.match(items.at(-1), { name: 'short', status: 'expired' });
  });
});
