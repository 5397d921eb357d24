import { test } from 'tap';
import { testService } from '../support/service.js';
import { until } from '../support/until.js';

type Issued = Readonly<{ tokenId: string; token?: string; position: number }>;
type Listed = Readonly<{ items: readonly Readonly<Record<string, unknown>>[] }>;

const PROBLEM = 'urn:chronoflag:problem:';
const KEYS = '/projects/demo/environments/production/keys';

test('API tokens', async (t) => {
  const service = await testService(t);
  const other = await service.startAnother();
  const issue = async (body: object, credential = service.credential) => {
    const answer = await service.post<Issued>('/tokens', { body, credential });
    t.equal(answer.status, 201, answer.text);
    return { id: answer.body.tokenId, secret: String(answer.body.token) };
  };
  const statusOf = async (credential: string, path = '/projects/demo', at: typeof other = other) =>
    (await at.get(path, { credential })).status;

  const admin = await issue({ name: 'admin', role: 'admin' });

  await t.test('a token is shown once, and is nowhere else', async (t) => {
    const body = { name: 'ci', role: 'editor' };
    const headers = { 'idempotency-key': 'token-1' };
    const first = await service.post<Issued>('/tokens', { body, headers });
    t.match(first, {
      status: 201,
      headers: { 'cache-control': 'no-store' },
      body: { token: /^cf_admin_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/ },
    });
    const again = await service.post<Issued>('/tokens', { body, headers });
    t.match(again, { status: 201, body: { tokenId: first.body.tokenId } });
    t.notOk('token' in again.body);
    const seen = { headers: { 'x-min-position': String(first.body.position) } };
    const audit = await service.get('/audit?type=ApiKeyIssued', seen);
    t.match(audit.text, `"keyId":"${first.body.tokenId}"`);
    t.match(audit.text, '"role":"editor"');
    t.notMatch(audit.text, String(first.body.token));
    t.notMatch((await service.get('/tokens')).text, String(first.body.token));
  });

  await t.test('a token may do what its role may, in its projects', async (t) => {
    await service.post('/projects', { body: { key: 'bank' } });
    const token = await issue({ name: 'ci', role: 'none', projects: { demo: 'editor' } });
    const body = { key: 'of-a-token', type: 'boolean' };
    const options = { body, credential: token.secret };
    const made = await other.post<Issued>('/projects/demo/flags', options);
    t.equal(made.status, 201);
    t.equal((await other.post('/projects/bank/flags', options)).status, 404);
    t.equal((await other.post('/projects', { ...options, body: { key: 'x' } })).status, 403);
    const copy = { ...options, body: { key: 'copy', toProject: 'bank' } };
    t.equal((await other.post('/projects/demo/flags/of-a-token/copy', copy)).status, 404);
    const audit = await service.get<Listed>(`/audit?type=FlagCreated&actor=${token.id}`, {
      headers: { 'x-min-position': String(made.body.position) },
    });
    t.match(audit.body.items, [{ type: 'FlagCreated', actor: { type: 'apiKey' } }]);
  });

  await t.test('nobody issues, rotates or revokes a token that may do more', async (t) => {
    const owner = await issue({ name: 'owner', role: 'owner' });
    const by = { credential: admin.secret };
    const refused = { status: 403, body: { type: `${PROBLEM}forbidden` } };
    t.match(await service.post('/tokens', { ...by, body: { name: 'x', role: 'owner' } }), refused);
    t.match(await service.post(`/tokens/${owner.id}/rotate`, by), refused);
    t.match(await service.post(`/tokens/${owner.id}/rotate?dryRun=true`, by), refused);
    t.match(await service.post(`/tokens/${owner.id}/revoke`, by), refused);
    t.equal(await statusOf(owner.secret), 200);
    await issue({ name: 'another', role: 'admin' }, admin.secret);
  });

  await t.test('what cannot be issued, or is not there', async (t) => {
    for (const body of [
      { name: 'x' },
      { name: 'x', role: 'king' },
      { name: 'x', role: 'none', projects: { demo: 'owner' } },
      { name: 'x', role: 'none', projects: { 'a/b': 'viewer' } },
      { name: 'x', role: 'viewer', kind: 'admin' },
    ])
      t.equal((await service.post('/tokens', { body })).status, 400, JSON.stringify(body));
    const unknown = { name: 'x', role: 'none', projects: { nowhere: 'viewer' } };
    t.match(await service.post('/tokens', { body: unknown }), {
      status: 422,
      body: { type: `${PROBLEM}unknown-project` },
    });
    const past = { name: 'x', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' };
    t.equal((await service.post('/tokens', { body: past })).status, 422);
    const key = (
      await service.post<{ keyId: string }>(KEYS, { body: { kind: 'server', name: 'k' } })
    ).body.keyId;
    for (const id of ['0123456789ab', key])
      for (const act of ['rotate', 'revoke'])
        t.match(await service.post(`/tokens/${id}/${act}`), {
          status: 404,
          body: { type: `${PROBLEM}api-key-not-found` },
        });
  });

  await t.test('a rotated token has two secrets, until the overlap is over', async (t) => {
    const token = await issue({ name: 'rotated', role: 'viewer' });
    t.equal(await statusOf(token.secret), 200);
    const rotate = async (body?: object): Promise<string> => {
      const answer = await service.post<Issued>(`/tokens/${token.id}/rotate`, { body });
      t.match(answer, { status: 200, headers: { 'cache-control': 'no-store' } }, answer.text);
      return String(answer.body.token);
    };
    const dry = await service.post<Issued>(`/tokens/${token.id}/rotate?dryRun=true`);
    t.notOk('token' in dry.body);
    const second = await rotate();
    await until('the new one counts', async () => (await statusOf(second)) === 200);
    t.equal(await statusOf(token.secret), 200, 'and so does the old one');
    const third = await rotate({ overlapSeconds: 0 });
    await until('the old ones are over', async () => (await statusOf(second)) === 401);
    t.equal(await statusOf(token.secret), 401);
    t.equal(await statusOf(third), 200);
    t.equal(
      (await service.post(`/tokens/${token.id}/rotate`, { body: { overlapSeconds: 2_592_001 } }))
        .status,
      400,
    );
  });

  await t.test('a revoked token is refused, also elsewhere, and cannot be rotated', async (t) => {
    const token = await issue({ name: 'leaked', role: 'admin' });
    t.equal(await statusOf(token.secret), 200);
    t.match(await service.post(`/tokens/${token.id}/revoke`), { body: { result: 'recorded' } });
    t.equal(await statusOf(token.secret, '/projects/demo', service as never), 401, 'here at once');
    await until('it is refused there', async () => (await statusOf(token.secret)) === 401);
    t.match(await service.post(`/tokens/${token.id}/rotate`), {
      status: 409,
      body: { type: `${PROBLEM}api-key-revoked` },
    });
    const { items } = (await service.get<Listed>('/tokens')).body;
    t.match(
      items.find((item) => item['tokenId'] === token.id),
      { name: 'leaked', role: 'admin', projects: {}, status: 'revoked' },
    );
    t.strictSame((await service.get<Listed>('/tokens?unusedForDays=1')).body.items, []);
  });

  await t.test('an expired token stops working by itself', async (t) => {
    const expiresAt = new Date(Date.now() + 1_200).toISOString();
    const token = await issue({ name: 'short', role: 'viewer', expiresAt });
    t.equal(await statusOf(token.secret), 200);
    await until('it has expired', async () => (await statusOf(token.secret)) === 401);
    t.match((await other.get('/projects/demo', { credential: token.secret })).body, {
      detail: `The API token expired at ${expiresAt}; issue another.`,
    });
    t.match(await service.post(`/tokens/${token.id}/rotate`), {
      status: 409,
      body: { type: `${PROBLEM}api-key-expired`, detail: new RegExp(expiresAt) },
    });
  });

  await t.test('an old secret counts no longer than its token', async (t) => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const token = await issue({ name: 'soon', role: 'viewer', expiresAt });
    const body = { overlapSeconds: 86_400 };
    t.equal((await service.post(`/tokens/${token.id}/rotate`, { body })).status, 200);
    const { items } = (await service.get<Listed>('/tokens')).body;
    const listed = items.find((item) => item['tokenId'] === token.id);
    t.match(listed, { expiresAt, overlapUntil: expiresAt });
  });

  await t.test('a key of a deleted environment is not rotated', async (t) => {
    await service.post('/projects/demo/environments', { body: { key: 'gone' } });
    const path = '/projects/demo/environments/gone';
    const body = { kind: 'server', name: 'k' };
    const issued = await service.post<{ keyId: string }>(`${path}/keys`, { body });
    t.equal(issued.status, 201);
    t.equal((await service.delete(path)).status, 200);
    const { keyId } = issued.body;
    await until(
      'it is refused',
      async () => (await service.post(`${path}/keys/${keyId}/rotate`)).status === 409,
    );
    t.match(await service.post(`${path}/keys/${keyId}/rotate`), {
      body: { type: `${PROBLEM}environment-deleted` },
    });
    t.equal((await service.post(`${path}/keys/${keyId}/revoke`)).status, 200);
  });

  await t.test('one command at two processes makes one secret, which works', async (t) => {
    const rotated = await issue({ name: 'twice', role: 'viewer' });
    const commands: readonly (readonly [path: string, body: object, status: number])[] = [
      [`/tokens/${rotated.id}/rotate`, { overlapSeconds: 0 }, 200],
      ['/tokens', { name: 'twice', role: 'viewer' }, 201],
      [KEYS, { kind: 'server', name: 'twice' }, 201],
    ];
    type Shown = Readonly<{ token?: string; key?: string }>;
    for (let round = 0; round < 10; round += 1)
      for (const [path, body, status] of commands) {
        const headers = { 'idempotency-key': `twice-${round}-${path.length}` };
        const options = { body, headers };
        const answers = await Promise.all(
          [service, other].map((process) => process.post<Shown>(path, options)),
        );
        t.strictSame(
          answers.map((answer) => answer.status),
          [status, status],
          path,
        );
        const secrets = answers.flatMap(({ body: { token, key } }) => token ?? key ?? []);
        t.equal(secrets.length, 1, 'one of them shows it');
        const replayed = answers.filter(({ headers: told }) => told['idempotency-replayed']);
        t.equal(replayed.length, 1, 'the other says that it is a repeat');
        const [secret = ''] = secrets;
        const seen = path === KEYS ? `${KEYS.replace('/keys', '')}/evaluate` : '/projects/demo';
        await until('it works', async () => (await statusOf(secret, seen)) === 200);
      }
  });

  await t.test('an application key is rotated as a token is', async (t) => {
    const issued = await service.post<{ keyId: string; key: string }>(KEYS, {
      body: { kind: 'client', name: 'web' },
    });
    const { keyId, key } = issued.body;
    const path = '/projects/demo/environments/production/evaluate';
    const bulk = await service.send<{ eventStreams: { endpoint: { requestUri: string } }[] }>(
      'POST',
      '/ofrep/v1/evaluate/flags',
      { credential: key, body: { context: {} } },
    );
    const rotated = await service.post<{ key: string }>(`${KEYS}/${keyId}/rotate`);
    t.match(rotated.body.key, new RegExp(`^cf_cli_${keyId}_`));
    t.equal(await statusOf(rotated.body.key, path, service as never), 200);
    t.equal(await statusOf(key, path, service as never), 200);
    await until('elsewhere too', async () => (await statusOf(rotated.body.key, path)) === 200);
    t.equal(await statusOf(key, path), 200);
    const stream = bulk.body.eventStreams[0]?.endpoint.requestUri ?? '';
    const leaving = new AbortController();
    const open = await fetch(`${service.url}${stream}`, { signal: leaving.signal });
    t.equal(open.status, 200, 'a stream opened with the old secret can be opened again');
    leaving.abort();
    await service.post(`${KEYS}/${keyId}/rotate`, { body: { overlapSeconds: 0 } });
    t.equal(await statusOf(rotated.body.key, path, service as never), 401);
    t.equal((await fetch(`${service.url}${stream}`)).status, 401);
    const { items } = (await service.get<Listed>('/keys')).body;
    t.match(
      items.find((item) => item['keyId'] === keyId),
      { project: 'demo', environment: 'production', name: 'web', status: 'active' },
    );
    t.strictSame((await service.get<Listed>('/keys?unusedForDays=1')).body.items, []);
    const elsewhere = await issue({ name: 'elsewhere', role: 'none', projects: { bank: 'admin' } });
    const seen = await service.get<Listed>('/keys', { credential: elsewhere.secret });
    t.strictSame(seen.body.items, []);
  });
});
