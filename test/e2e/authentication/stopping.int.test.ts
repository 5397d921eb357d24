import pg from 'pg';
import { test } from 'tap';
import { loadMasterKey } from '../../../src/infrastructure/keys/master-key.js';
import { newSigningKey, signingKeyTable } from '../../../src/infrastructure/keys/signing-keys.js';
import { logIn, registerOwner } from '../../support/people.js';
import { runProgram } from '../../support/programs.js';
import { testService } from '../../support/service.js';
import { tcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

test('tokens stop everywhere', async (t) => {
  const service = await testService(t);
  const { environment } = service;
  const redis = await tcpProxy(t, environment['REDIS_URL'] ?? '');
  const deaf = await service.startAnother({ REDIS_URL: redis.url });
  redis.refuse();
  const pool = new pg.Pool({ connectionString: environment['DATABASE_URL'] });
  const masterKey = await loadMasterKey({
    configured: environment['MASTER_KEY'],
    file: '',
  });
  const keys = signingKeyTable(pool);
  const newKey = () => newSigningKey(masterKey.for('signing keys'));
  const removeKey = (kid: string) => runProgram(environment, 'cli/signing-keys', 'remove', kid);
  t.teardown(() => pool.end());
  const isLetIn = async (credential: string, { get }: Pick<typeof service, 'get'> = service) =>
    (await get('/auth/sessions', { credential })).status === 200;
  const owner = await registerOwner(service, 'stopping');

  await t.test('without Redis too, because Postgres is the truth', async (t) => {
    const { accessToken } = await logIn(service, owner);
    await until('the process without Redis lets them in', () => isLetIn(accessToken, deaf));
    await service.post('/auth/logout', { credential: accessToken });
    t.notOk(await isLetIn(accessToken));
    await until(
      'the process without Redis refuses',
      async () => !(await isLetIn(accessToken, deaf)),
    );
    const { accessToken: other } = await logIn(deaf, owner);
    await deaf.post('/auth/logout', { credential: other });
    t.notOk(await isLetIn(other, deaf));
    await until('the others refuse', async () => !(await isLetIn(other)));
  });

  await t.test('a process that starts later knows what ended before', async (t) => {
    const { accessToken } = await logIn(service, owner);
    await service.post('/auth/logout', { credential: accessToken });
    const late = await service.startAnother();
    const { accessToken: good } = await logIn(service, owner);
    await until('it lets members in', () => isLetIn(good, late));
    t.notOk(await isLetIn(accessToken, late));
    await late.stop();
  });

  await t.test('a new key is published before it signs, and the old one goes on', async (t) => {
    const { accessToken } = await logIn(service, owner);
    const published = async (): Promise<readonly string[]> => {
      const { body } = await service.send<{ keys: readonly { kid: string }[] }>(
        'GET',
        '/.well-known/jwks.json',
        { credential: null },
      );
      return body.keys.map(({ kid }) => kid);
    };
    const kidOf = (token: string): string => {
      const [header = ''] = token.split('.');
      return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid;
    };
    let isRotating = true;
    const askOnAndOn = async (
      client: typeof service | typeof deaf,
    ): Promise<readonly boolean[]> => {
      const letIn = [];
      while (isRotating) {
        letIn.push(await isLetIn(accessToken, client));
        const [newest = accessToken] = signed;
        letIn.push(await isLetIn(newest, client));
      }
      return letIn;
    };
    const signed: string[] = [];
    const asking = [service, service, service, deaf].map(askOnAndOn);
    const before = await published();
    t.equal(await keys.rotate(newKey(), 30), 'kept', 'it is not time yet');
    await pool.query(`update chronoflag.signing_key set signs_from = now() - interval '31 days'`);
    t.equal(await keys.rotate(newKey(), 30), 'rotated');
    t.equal(await keys.rotate(newKey(), 30), 'kept', 'one is enough');
    await until('it is published', async () => (await published()).length === before.length + 1);
    t.equal(
      kidOf((await logIn(service, owner)).accessToken),
      kidOf(accessToken),
      'not signing yet',
    );
    await pool.query(
      `update chronoflag.signing_key set signs_from = now() where signs_from > now()`,
    );
    await until('the new key signs', async () => {
      const { accessToken: next } = await logIn(service, owner);
      signed.unshift(next);
      return kidOf(next) !== kidOf(accessToken) && (await published()).includes(kidOf(next));
    });
    isRotating = false;
    const letIn = (await Promise.all(asking)).flat();
    t.ok(letIn.length > 100, `${letIn.length} requests meanwhile`);
    t.ok(!letIn.includes(false), 'all of them were let in');
    t.ok(await isLetIn(accessToken), 'what the old one signed is still good');
    t.ok(await isLetIn(accessToken, deaf));
    await pool.query(
      `update chronoflag.signing_key
          set signs_from = signs_from - interval '21 minutes'`,
    );
    await until('the old one is retired', async () => (await published()).length === 1);
    t.notOk(await isLetIn(accessToken));
  });

  await t.test('what a removed key signed stops in every process', async (t) => {
    const { accessToken } = await logIn(service, owner);
    t.ok(await isLetIn(accessToken));
    const [signing] = (await keys.list()).filter(({ isSigning }) => isSigning);
    const kid = signing?.kid ?? '';
    t.match(await removeKey(kid), new RegExp(`^0\n${kid} is removed\\.`));
    await until('every process refuses', async () => {
      const letIn = [await isLetIn(accessToken), await isLetIn(accessToken, deaf)];
      return !letIn.includes(true);
    });
    t.ok(await isLetIn((await logIn(service, owner)).accessToken), 'another key signs');
    await until('it is in the audit log', async () => {
      const { body } = await service.get<{ items: readonly { data: unknown }[] }>(
        '/audit?type=KeyChanged&limit=1',
      );
      const texts = body.items.map(({ data }) => JSON.stringify(data));
      return texts.some((text) => text.includes('"removed"') && text.includes(kid));
    });
    t.match(await removeKey('no-such-key'), /^1\nThere is no key no-such-key\./);
  });
});
