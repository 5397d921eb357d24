import { test } from 'tap';
import { accept, addMember, invite, registerOrganization } from '../../support/organizations.js';
import { logIn, PASSWORD } from '../../support/people.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

type Members = Readonly<{ items: readonly Readonly<{ userId: string; role: string }>[] }>;

test('organizations next to each other, over two processes', async (t) => {
  const service = await testService(t);
  const other = await service.startAnother({ REGISTRATION: 'closed' });
  const statusAt = async (path: string, credential: string, { get } = other): Promise<number> =>
    (await get(path, { credential })).status;
  const known = (credential: string): Promise<void> =>
    until('the other process knows the member', async () => {
      return (await statusAt('/organization', credential)) === 200;
    });

  await t.test('a lowered role counts in the other process', async (t) => {
    const owner = await registerOrganization(service);
    const bert = await addMember(service, owner.credential, { role: 'admin' });
    await known(bert.credential);
    t.equal(await statusAt('/members', bert.credential), 200);
    const path = `/members/${bert.userId}/role`;
    const { credential } = owner;
    await service.put(path, { body: { role: 'viewer' }, credential });
    t.equal(await statusAt('/members', bert.credential, service), 403, 'here at once');
    await until('the other process lowers the role', async () => {
      return (await statusAt('/members', bert.credential)) === 403;
    });
    t.equal(await statusAt('/organization', bert.credential), 200);
  });

  await t.test('who is removed is out in the other process', async (t) => {
    const { credential } = await registerOrganization(service);
    const bert = await addMember(service, credential, { role: 'admin' });
    await known(bert.credential);
    const { status } = await service.delete(`/members/${bert.userId}`, { credential });
    t.equal(status, 200);
    await until('the other process refuses', async () => {
      return (await statusAt('/organization', bert.credential)) === 401;
    });
  });

  await t.test('of the last two owners one stays, whatever two processes do', async (t) => {
    const anna = await registerOrganization(service);
    const bert = await addMember(service, anna.credential, { role: 'owner' });
    await known(bert.credential);
    await known(anna.credential);
    const answers = await Promise.all([
      service.delete(`/members/${bert.userId}`, { credential: anna.credential }),
      other.delete(`/members/${anna.userId}`, { credential: bert.credential }),
    ]);
    const statuses = answers.map(({ status }) => status).toSorted();
    t.equal(statuses[0], 200, `${statuses.join()}: one of them is removed`);
    t.ok([401, 403, 409].includes(statuses[1] ?? 0), `${statuses.join()}: and no more`);
    const stays = answers[0].status === 200 ? anna : bert;
    const again = await logIn(service, stays);
    await until('the read model has it', async () => {
      const { body } = await service.get<Members>('/members', { credential: again.accessToken });
      return body.items.length === 1 && body.items[0]?.role === 'owner';
    });
  });

  await t.test('two owners who both leave at once do not both leave', async (t) => {
    const anna = await registerOrganization(service);
    const bert = await addMember(service, anna.credential, { role: 'owner' });
    await known(bert.credential);
    const answers = await Promise.all([
      service.post('/members/leave', { credential: anna.credential }),
      other.post('/members/leave', { credential: bert.credential }),
    ]);
    t.strictSame(answers.map(({ status }) => status).toSorted(), [200, 409]);
  });

  await t.test(
    'of two who accept one invitation at once, one is in, with the own password',
    async (t) => {
      const { credential, organizationId } = await registerOrganization(service);
      for (const round of [1, 2, 3]) {
        const { token, email } = await invite(service, credential, { role: 'viewer' });
        const passwords = [`${PASSWORD} here`, `${PASSWORD} there`];
        const answers = await Promise.all([
          accept(service, token, passwords[0]),
          accept(other, token, passwords[1]),
        ]);
        const joined = answers.map(({ status }) => status === 201);
        t.strictSame(joined.toSorted(), [false, true], `round ${round}`);
        const logins = await Promise.all(
          passwords.map((password, nth) =>
            // Each where they accepted: the other process hears of it a little later.
            (nth === 0 ? service : other).post('/auth/login', {
              credential: null,
              body: { organization: organizationId, email, password },
            }),
          ),
        );
        const isIn = logins.map(({ status }) => status === 200);
        t.strictSame(isIn, joined, 'who was let in can log in, and the other cannot');
      }
    },
  );

  await t.test('the same name and address twice are strangers', async (t) => {
    const name = 'Twins';
    const email = 'same@example.com';
    const [one, two] = [
      await registerOrganization(service, name),
      await registerOrganization(service, name),
    ];
    t.not(one.organizationId, two.organizationId);
    const firstInvited = await invite(service, one.credential, { email, role: 'editor' });
    const secondInvited = await invite(service, two.credential, { email, role: 'viewer' });
    const first = (await accept(service, firstInvited.token)).body;
    const second = (await accept(service, secondInvited.token, `${PASSWORD} two`)).body;
    t.not(first.userId, second.userId);
    const wrong = await service.post('/auth/login', {
      credential: null,
      body: { organization: two.organizationId, email, password: PASSWORD },
    });
    t.equal(wrong.status, 401, 'the password is that of the other account');
    const { credential } = one;
    const before = await service.get<Members>('/members', { credential: two.credential });
    for (const userId of [second.userId, two.userId, 'usr_nobody000000']) {
      const answer = await service.delete(`/members/${userId}`, { credential });
      t.match(answer, {
        status: 404,
        body: { type: 'urn:chronoflag:problem:member-not-found' },
      });
    }
    const third = await invite(service, two.credential, { role: 'viewer' });
    const foreign = `/invitations/${third.invitationId}/revoke`;
    t.equal((await service.post(foreign, { credential })).status, 404);
    t.equal((await accept(service, third.token)).status, 201, 'it was not revoked');
    t.ok(before.body.items.length > 0);
    const { text } = await service.get('/members', { credential });
    t.notMatch(text, second.userId);
  });

  await t.test('the same Idempotency-Key meets nobody else', async (t) => {
    const headers = { 'idempotency-key': 'register-1' };
    const register = (password: string) =>
      service.post<{ organizationId: string }>('/organizations', {
        credential: null,
        headers,
        body: { name: 'Keyed', owner: { email: 'keyed@example.com', password } },
      });
    const first = await register(PASSWORD);
    const repeat = await register(PASSWORD);
    t.match(repeat, { status: 201, headers: { 'idempotency-replayed': 'true' } });
    t.strictSame(repeat.body, first.body);
    const stranger = await register(`${PASSWORD} too`);
    t.match(stranger, { status: 422, body: { type: /idempotency-key-reused$/ } });
    t.notMatch(stranger.text, first.body.organizationId);
  });

  await t.test('where registration is closed nobody registers', async (t) => {
    const body = { name: 'Late', owner: { email: 'late@example.com', password: PASSWORD } };
    t.match(await other.post('/organizations', { credential: null, body }), {
      status: 403,
      body: { type: 'urn:chronoflag:problem:registration-closed' },
    });
  });
});
