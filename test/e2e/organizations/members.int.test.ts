import { test } from 'tap';
import { type Answer } from '../../support/http-client.js';
import { accept, addMember, invite, registerOrganization } from '../../support/organizations.js';
import { logIn, PASSWORD } from '../../support/people.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

type Command = Readonly<{ position: number; revision: number; commandId: string }>;
type Members = Readonly<{
  items: readonly Readonly<{ userId: string; role: string; email: string }>[];
  revision: number;
  position: number;
}>;

const told = ({ status, body }: Answer): unknown => ({
  status,
  ...(body as object),
  instance: '',
});

test('an organization and its members', async (t) => {
  const service = await testService(t);
  const owner = await registerOrganization(service, 'Größe & Söhne');
  const { credential, organizationId } = owner;
  const as = (who: string) => ({ credential: who });
  const after = ({ position }: Command) => ({
    credential,
    headers: { 'x-min-position': String(position) },
  });

  await t.test('it has an id made of its name, and one owner', async (t) => {
    t.match(organizationId, /^gro-e-sohne-[a-z0-9]{6}$/);
    await until('the owner is listed', async () => {
      const { status } = await service.get('/members', as(credential));
      return status === 200;
    });
    t.match((await service.get('/organization', as(credential))).body, {
      organizationId,
      name: 'Größe & Söhne',
      revision: 0,
    });
    t.match((await service.get<Members>('/members', as(credential))).body.items, [
      { userId: owner.userId, role: 'owner', email: owner.email },
    ]);
  });

  await t.test('from the invitation to the leaving of a member', async (t) => {
    const email = ' Bert.Beta+x@Example.COM ';
    const before = (await service.get<Members>('/members', as(credential))).body;
    const { token, invitationId } = await invite(service, credential, { email, role: 'viewer' });
    const message = await service.inbox.invitation(invitationId);
    t.match(message, { email: 'bert.beta+x@example.com', organizationId, token });
    t.ok(message.link.endsWith(`/api/v1/invitations/accept#${token}`));
    const page = await service.send('GET', '/api/v1/invitations/accept', { credential: null });
    t.match(page, { status: 200, headers: { 'content-type': /^text\/html/ } });
    t.match(page.text, /type="password"[\s\S]*/);
    t.match(page.headers['content-security-policy'], /script-src 'self'/);
    const script = await service.send('GET', '/api/v1/invitations/accept.js', { credential: null });
    t.match(script.headers, { 'content-type': /^text\/javascript/ });

    const weak = await accept(service, token, 'short');
    t.match(weak, { status: 422, body: { type: 'urn:chronoflag:problem:weak-password' } });
    const accepted = await accept(service, token);
    t.match(accepted, { status: 201, headers: { location: '/api/v1/organization' } });
    const { userId } = accepted.body;
    const bert = { organizationId, userId, email: 'bert.beta+x@example.com' };
    const { accessToken } = await logIn(service, bert);

    t.equal((await service.get('/projects', as(accessToken))).status, 200);
    t.equal((await service.get('/members', as(accessToken))).status, 403);
    const path = `/members/${userId}/role`;
    const raised = await service.put<Command>(path, { body: { role: 'admin' }, credential });
    t.match(raised.body, { result: 'recorded', changes: [{ after: 'admin' }] });
    t.equal(
      (await service.get('/members', as(accessToken))).status,
      200,
      'it counts from the next request on',
    );
    const unchanged = await service.put(path, { body: { role: 'admin' }, credential });
    t.match(unchanged.body, { result: 'unchanged' });

    const left = await service.post<Command>('/members/leave', as(accessToken));
    t.match(left.body, { result: 'recorded', events: [{ type: 'MemberLeft' }] });
    t.equal((await service.get('/organization', as(accessToken))).status, 401);
    const login = await service.post('/auth/login', {
      credential: null,
      body: { organization: organizationId, email: bert.email, password: PASSWORD },
    });
    t.equal(login.status, 401);

    const now = await service.get<Members>('/members', after(left.body));
    t.strictSame(now.body.items, before.items, 'nobody else is left');
    const then = await service.get<Members>(
      `/members?position=${raised.body.position}`,
      as(credential),
    );
    t.match(then.body.items, [{ userId: owner.userId }, { userId, role: 'admin' }]);
    const replayed = await service.get<Members>(
      `/members?position=${raised.body.position}&source=log`,
      as(credential),
    );
    t.strictSame(replayed.body, then.body, 'the log says the same');

    const { body } = await service.get<{ items: readonly { type: string }[] }>(
      `/audit?category=organization&order=asc`,
      as(credential),
    );
    t.match(body.items, [
      { type: 'OrganizationRegistered', actor: { id: owner.userId, authMethod: 'registration' } },
      { type: 'MemberInvited', actor: { id: owner.userId, authMethod: 'password' } },
      { type: 'MemberJoined', actor: { id: userId, authMethod: 'invitation' }, ip: '127.0.0.1' },
      { type: 'MemberRoleChanged', actor: { id: owner.userId } },
      { type: 'MemberLeft', actor: { id: userId } },
    ]);
  });

  await t.test('every token that cannot be accepted gets one answer', async (t) => {
    const used = await invite(service, credential, { role: 'viewer' });
    await accept(service, used.token);
    const open = await invite(service, credential, { role: 'viewer' });
    const revoked = await invite(service, credential, { role: 'viewer' });
    const done = await service.post<Command>(`/invitations/${revoked.invitationId}/revoke`, {
      credential,
    });
    t.match(done.body, { result: 'recorded', events: [{ type: 'InvitationRevoked' }] });
    const tokens = [
      used.token,
      revoked.token,
      `${open.token.slice(0, -1)}${open.token.endsWith('a') ? 'b' : 'a'}`,
      open.token.replace(organizationId, 'default'),
      open.token.replace(open.invitationId, revoked.invitationId),
      'x',
    ];
    const answers = await Promise.all(tokens.map((token) => accept(service, token, 'weak')));
    const one = told(await accept(service, 'cf_inv_nothing'));
    t.match(one, { status: 404, type: 'urn:chronoflag:problem:invitation-not-found' });
    for (const answer of answers) t.strictSame(told(answer), one);
    const list = await service.get<{ items: readonly unknown[] }>('/invitations', after(done.body));
    t.match(list.body.items.at(-1), { invitationId: open.invitationId });
    t.notMatch(list.text, open.token, 'nobody is shown the token');
  });

  await t.test('a repeat is answered as the first was, and delivers nothing', async (t) => {
    const body = { email: 'again@example.com', role: 'editor' };
    const headers = { 'idempotency-key': 'invite-1' };
    const first = await service.post<Command>('/invitations', { body, headers, credential });
    const again = await service.post<Command>('/invitations', { body, headers, credential });
    t.match(again, { status: 201, headers: { 'idempotency-replayed': 'true' } });
    t.strictSame(again.body, first.body);
    t.notMatch(first.text, 'cf_inv_', 'the token is in no answer');
    const dry = await service.post('/invitations?dryRun=true', {
      body: { ...body, email: 'dry@example.com' },
      credential,
    });
    t.match(dry, { status: 200, body: { result: 'dry-run', events: [{ type: 'MemberInvited' }] } });
    const stale = { 'if-match': '"0"' };
    const late = { body: { name: 'Other' }, headers: stale, credential };
    t.equal((await service.patch('/organization', late)).status, 412);
  });

  await t.test(
    'who is removed is out at once, and cannot be brought back by a repeat',
    async (t) => {
      const carl = await addMember(service, credential, { role: 'editor' });
      t.equal((await service.get('/projects', as(carl.credential))).status, 200);
      const headers = { 'idempotency-key': 'remove-carl' };
      const path = `/members/${carl.userId}`;
      const dry = await service.delete(`${path}?dryRun=true`, { credential });
      t.match(dry.body, { result: 'dry-run' });
      t.equal((await service.get('/projects', as(carl.credential))).status, 200);
      const removed = await service.delete<Command>(path, { credential, headers });
      t.match(removed.body, { result: 'recorded' });
      t.equal((await service.get('/projects', as(carl.credential))).status, 401);
      const again = await service.delete(path, { credential, headers });
      t.strictSame(again.body, removed.body);
      t.match(await service.delete(path, { credential }), {
        status: 404,
        body: { type: 'urn:chronoflag:problem:member-not-found' },
      });
    },
  );

  await t.test('the ownership is handed over, and the last owner stays', async (t) => {
    const dora = await addMember(service, credential, { role: 'none' });
    t.match(await service.post('/members/leave', as(credential)), {
      status: 409,
      body: { type: 'urn:chronoflag:problem:last-owner' },
    });
    const keyed = { body: { to: dora.userId } };
    t.match(await service.post('/organization/ownership', keyed), {
      status: 403,
      body: { detail: /logged in/ },
    });
    const handed = await service.post('/organization/ownership', { ...keyed, credential });
    t.match(handed.body, { result: 'recorded', events: [{ type: 'OwnershipHandedOver' }] });
    const rename = { body: { name: 'Dora & Co' } };
    t.equal((await service.patch('/organization', { ...rename, credential })).status, 403);
    const renamed = await service.patch<Command>('/organization', {
      ...rename,
      credential: dora.credential,
    });
    t.match(renamed.body, { result: 'recorded' });
    t.match((await service.get('/organization', after(renamed.body))).body, { name: 'Dora & Co' });
  });

  await t.test('no password and no token is in an event', async (t) => {
    const { text } = await service.get('/audit/export?format=ndjson', as(credential));
    t.match(text, 'MemberJoined');
    t.notMatch(text, PASSWORD);
    t.notMatch(text, /cf_inv_[^_]*_/);
  });

  await t.test('the read model agrees with the log', async (t) => {
    const { body } = await service.get('/audit/verify', as(credential));
    t.match(body, { stores: { readModel: { differences: [] } } });
  });
});
