import { hash } from '@node-rs/argon2';
import pg from 'pg';
import { test } from 'tap';
import { type HttpClient } from '../../support/http-client.js';
import { logIn, type Owner, PASSWORD, registerOwner } from '../../support/people.js';
import { testService } from '../../support/service.js';
import { tcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

const NEW_PASSWORD = 'another lantern';

test('passwords', async (t) => {
  const service = await testService(t);
  const pool = new pg.Pool({ connectionString: service.environment['DATABASE_URL'] });
  t.teardown(() => pool.end());
  const change = (credential: string, newPassword: string, { post }: HttpClient = service) =>
    post('/auth/password', { credential, body: { currentPassword: PASSWORD, newPassword } });
  const logInWith = ({ organizationId: organization, email }: Owner, password = PASSWORD) =>
    service.post('/auth/login', { credential: null, body: { organization, email, password } });
  const storedHash = async ({ userId }: Owner): Promise<string> => {
    const { rows } = await pool.query<{ hash: string }>(
      'select password_hash as hash from chronoflag.account where user_id = $1',
      [userId],
    );
    return rows[0]?.hash ?? '';
  };

  await t.test('one that is taken lets its owner in, however it is typed', async (t) => {
    const owner = await registerOwner(service, 'typed');
    const { accessToken } = await logIn(service, owner);
    const typed = 'e\u0301a\u0308'.repeat(50);
    t.equal((await change(accessToken, typed)).status, 200, '100 characters');
    t.equal((await logInWith(owner, typed)).status, 200, 'typed as 200');
    t.equal((await logInWith(owner, typed.normalize('NFC'))).status, 200, 'typed as 100');
  });

  await t.test('a login brings an outdated hash up to date', async (t) => {
    const owner = await registerOwner(service, 'outdated');
    const old = await hash(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await pool.query('update chronoflag.account set password_hash = $2 where user_id = $1', [
      owner.userId,
      old,
    ]);
    t.equal((await logInWith(owner, 'not the password at all')).status, 401);
    t.equal(await storedHash(owner), old);
    t.equal((await logInWith(owner)).status, 200);
    t.match(await storedHash(owner), /m=19456,t=2,p=1/);
    t.equal((await logInWith(owner)).status, 200);
  });

  /** Logs in while a transaction of ours does what `sql` says; that is committed before the session is there. */
  const logInDuring = async (owner: Owner, sql: string) => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query(sql, [owner.userId]);
    let isAnswered = false;
    const answer = logInWith(owner).finally(() => {
      isAnswered = true;
    });
    await until('the login waits for it', async () => {
      const { rows } = await pool.query('select from pg_locks where not granted');
      return isAnswered || rows.length > 0;
    });
    await client.query('commit');
    client.release();
    return answer;
  };

  await t.test(
    'a login that was under way with the old one, or an account that goes, gets no session',
    async (t) => {
      const owner = await registerOwner(service, 'under-way');
      await logIn(service, owner);
      const changing = `update chronoflag.account set password_hash = 'another' where user_id = $1`;
      t.equal((await logInDuring(owner, changing)).status, 401);
      const leaver = await registerOwner(service, 'leaver');
      const removing = 'delete from chronoflag.account where user_id = $1';
      t.equal((await logInDuring(leaver, removing)).status, 401);
      const { rows } = await pool.query(
        'select from chronoflag.session where user_id = any ($1) and ended_at is null',
        [[owner.userId, leaver.userId]],
      );
      t.equal(rows.length, 1, 'the one of before');
    },
  );

  await t.test('none is changed without the log knowing', async (t) => {
    const owner = await registerOwner(service, 'log-away');
    const [mine, other] = [await logIn(service, owner), await logIn(service, owner)];
    const log = await tcpProxy(t, service.environment['EVENTSTORE_URL'] ?? '');
    const cutOff = await service.startAnother({ EVENTSTORE_URL: log.url });
    const isLetIn = async ({ get }: HttpClient, { accessToken: credential } = other) =>
      (await get('/auth/sessions', { credential })).status === 200;
    await until('it knows the member', () => isLetIn(cutOff));
    log.refuse();
    t.equal((await change(mine.accessToken, NEW_PASSWORD, cutOff)).status, 503);
    t.ok(await isLetIn(service), 'no session ended');
    t.equal((await logInWith(owner)).status, 200, 'the old one is still right');

    log.resume();
    await until(
      'it is changed once the log is back',
      async () => (await change(mine.accessToken, NEW_PASSWORD, cutOff)).status === 200,
    );
    t.notOk(await isLetIn(cutOff));
    await until('the audit log has it, once', async () => {
      const path = '/audit?type=PasswordChanged';
      const { body } = await service.get<{ items: readonly unknown[] }>(path, {
        credential: mine.accessToken,
      });
      return body.items.length === 1;
    });
  });
});
