import { test } from 'tap';
import { type Answer, type HttpClient } from '../../support/http-client.js';
import { logIn, PASSWORD, registerOwner, type Tokens } from '../../support/people.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

type AuditList = Readonly<{
  items: readonly Readonly<{
    type: string;
    actor: Readonly<{ id: string; authMethod: string }>;
    data: Readonly<Record<string, unknown>>;
    metadata?: Readonly<Record<string, unknown>>;
  }>[];
}>;

test('sessions of people', async (t) => {
  const service = await testService(t);
  const other = await service.startAnother();
  const refresh = (
    refreshToken: string,
    { post }: Pick<HttpClient, 'post'> = service,
  ): Promise<Answer<Tokens>> =>
    post<Tokens>('/auth/refresh', { credential: null, body: { refreshToken } });
  const isLetIn = async (
    credential: string,
    { get }: Pick<HttpClient, 'get'> = service,
  ): Promise<boolean> => (await get('/auth/sessions', { credential })).status === 200;
  const refusedEverywhere = (credential: string): Promise<void> =>
    until('both processes refuse the token', async () => {
      const letIn = await Promise.all([isLetIn(credential), isLetIn(credential, other)]);
      return letIn.every((one) => !one);
    });
  const auditOf = async (credential: string, type: string) => {
    const { body } = await service.get<AuditList>(`/audit?type=${type}`, { credential });
    return body.items;
  };

  await t.test('an owner logs in, and the token is good in every process', async (t) => {
    const owner = await registerOwner(service, 'login');
    const tokens = await logIn(service, owner);
    t.match(tokens, { organizationId: owner.organizationId, userId: owner.userId, expiresIn: 900 });
    t.ok(await isLetIn(tokens.accessToken));
    await until('the other process knows the new member', () => isLetIn(tokens.accessToken, other));
    t.notOk(await isLetIn(tokens.refreshToken), 'a refresh token is no access token');
    t.equal((await refresh(tokens.accessToken)).status, 401, 'an access token refreshes nothing');
  });

  await t.test('who may not log in is told one thing', async (t) => {
    const owner = await registerOwner(service, 'refused');
    const tries: readonly (readonly [string, string, string])[] = [
      [owner.organizationId, owner.email, 'not the password at all'],
      [owner.organizationId, 'nobody@example.com', PASSWORD],
      ['no-such-organization', owner.email, PASSWORD],
      ['default', owner.email, PASSWORD],
    ];
    const answers = await Promise.all(
      tries.map(([organization, email, password]) =>
        service.post<{ instance: string }>('/auth/login', {
          credential: null,
          body: { organization, email, password },
        }),
      ),
    );
    t.plan(tries.length + 1);
    const told = answers.map(({ status, body }) => {
      t.equal(status, 401);
      return { ...body, instance: '' };
    });
    t.strictSame(new Set(told.map((one) => JSON.stringify(one))).size, 1);
  });

  await t.test('50 refreshes at once have one successor', async (t) => {
    const { refreshToken } = await logIn(service, await registerOwner(service, 'parallel'));
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)));
    t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]));
    t.equal(new Set(answers.map(({ body }) => body.refreshToken)).size, 1);
  });

  await t.test('a lost answer can be asked for again, until its token is used', async (t) => {
    const first = await logIn(service, await registerOwner(service, 'lost-answer'));
    const { accessToken: credential } = first;
    await until(
      'the other process knows the new member',
      async () => (await other.get('/auth/sessions', { credential })).status === 200,
    );
    const second = await refresh(first.refreshToken);
    const again = await refresh(first.refreshToken, other);
    t.equal(again.body.refreshToken, second.body.refreshToken);
    const third = await refresh(second.body.refreshToken);
    t.equal(third.status, 200);

    const reused = await refresh(first.refreshToken);
    t.equal(reused.status, 401, 'its successor was used: somebody has a copy');
    t.equal((await refresh(third.body.refreshToken)).status, 401, 'the newest ends too');
    await refusedEverywhere(third.body.accessToken);
  });

  await t.test('reuse is in the audit log, with who and from where', async (t) => {
    const owner = await registerOwner(service, 'audited');
    const first = await logIn(service, owner);
    const second = await refresh(first.refreshToken);
    await refresh(second.body.refreshToken);
    await refresh(first.refreshToken);
    const { accessToken } = await logIn(service, owner);
    await until('the audit log has it', async () => {
      const items = await auditOf(accessToken, 'RefreshTokenReused');
      return items[0]?.data['sessionId'] === first.sessionId;
    });
    const [ended] = await auditOf(accessToken, 'SessionEnded');
    t.match(ended, {
      actor: { id: owner.userId, authMethod: 'password' },
      data: { sessionId: first.sessionId, cause: 'refresh-token-reused' },
    });
  });

  await t.test('logging out ends one session, everywhere all of them', async (t) => {
    const owner = await registerOwner(service, 'logout');
    const [one, two, three] = [
      await logIn(service, owner),
      await logIn(service, owner),
      await logIn(service, owner),
    ];
    const left = await service.post('/auth/logout', { credential: one.accessToken });
    t.strictSame(left.body, { ended: [one.sessionId] });
    t.notOk(await isLetIn(one.accessToken), 'at once in the process that was asked');
    await refusedEverywhere(one.accessToken);
    t.ok(await isLetIn(two.accessToken));
    await service.post('/auth/logout-everywhere', { credential: two.accessToken });
    await refusedEverywhere(three.accessToken);
    t.equal((await refresh(three.refreshToken)).status, 401);
  });

  await t.test('people see their own sessions and end any of them', async (t) => {
    const owner = await registerOwner(service, 'own');
    const [one, two] = [await logIn(service, owner), await logIn(service, owner)];
    const { body } = await service.get<{ items: readonly unknown[] }>('/auth/sessions', {
      credential: one.accessToken,
    });
    t.match(body.items, [
      { sessionId: one.sessionId, isCurrent: true, method: 'password' },
      { sessionId: two.sessionId, isCurrent: false },
    ]);
    const stranger = await logIn(service, await registerOwner(service, 'stranger'));
    const path = `/auth/sessions/${two.sessionId}/revoke`;
    const foreign = await service.post(path, { credential: stranger.accessToken });
    t.match(foreign.body, { type: 'urn:chronoflag:problem:session-not-found' });
    t.ok(await isLetIn(two.accessToken), 'a stranger ends nothing');
    t.equal((await service.post(path, { credential: one.accessToken })).status, 200);
    await refusedEverywhere(two.accessToken);
  });

  await t.test('a new password ends the other sessions', async (t) => {
    const owner = await registerOwner(service, 'password');
    const [one, two] = [await logIn(service, owner), await logIn(service, owner)];
    const change = (currentPassword: string, newPassword: string) =>
      service.post('/auth/password', {
        credential: one.accessToken,
        body: { currentPassword, newPassword },
      });
    t.match((await change('not the password', 'another lantern')).body, { status: 422 });
    t.match((await change(PASSWORD, 'short')).body, { detail: /12 characters/ });
    t.match((await change(PASSWORD, owner.email)).body, { detail: /your e-mail address/ });
    t.strictSame((await change(PASSWORD, 'another lantern')).body, { ended: [two.sessionId] });
    await refusedEverywhere(two.accessToken);
    t.ok(await isLetIn(one.accessToken));
    await t.rejects(logIn(service, owner), 'the old one is wrong now');
    t.ok(await logIn(service, owner, 'another lantern'));
  });

  await t.test('refused logins of a member are counted in the audit log', async (t) => {
    const owner = await registerOwner(service, 'counted');
    const { accessToken } = await logIn(service, owner);
    await t.rejects(logIn(service, owner, 'not the password at all'));
    await t.rejects(logIn(service, owner, 'not the password at all'));
    await until('the audit log has it', async () => {
      const items = await auditOf(accessToken, 'LoginRefused');
      return items.length === 1;
    });
    const [refused] = await auditOf(accessToken, 'LoginRefused');
    t.match(refused, { actor: { id: 'anonymous' }, data: { count: 1 } });
  });

  await t.test('credentials of programs have no sessions', async (t) => {
    t.equal((await service.get('/auth/sessions')).status, 403);
    t.equal((await service.post('/auth/logout')).status, 403);
  });

  await t.test('the public keys can be had by everybody', async (t) => {
    const { status, headers, body } = await service.send('GET', '/.well-known/jwks.json', {
      credential: null,
    });
    t.equal(status, 200);
    t.match(headers['cache-control'], 'public, max-age=300');
    t.match(body, { keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }] });
    t.notMatch(JSON.stringify(body), /"d":/);
  });
});
