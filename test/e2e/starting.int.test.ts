import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { type FirstCredentials } from '../../src/composition/first-start.js';
import { startService } from '../../src/composition/service.js';
import { type Uses, unusableServices } from '../../src/composition/services.js';
import { loadConfig } from '../../src/config.js';
import { keepSecret, testLogger } from '../support/canary.js';
import { testDatabase } from '../support/database.js';
import { startStore, temporaryFolder } from '../support/event-store.js';
import { freePort } from '../support/free-port.js';
import { WIDE_LIMITS } from '../support/limits.js';
import { testService } from '../support/service.js';
import { type StandIn, startStandIn } from '../support/stand-in-store.js';

const TLS = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));
const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** With every character that a login must be encoded for. */
const PASSWORD = 'S3cret-Qx7@zW9vk/Jh4nb:Ty6mm?%Lp2dd';
const LOGIN = `admin:${encodeURIComponent(PASSWORD)}`;

const pem = (name: string): Buffer => readFileSync(join(TLS, name));

const databaseUrl = (): URL => new URL(process.env['TEST_DATABASE_URL'] ?? '');
const redisUrl = (): URL => new URL(process.env['TEST_REDIS_URL'] ?? '');

const reasonsOf = async (
  environment: Readonly<Record<string, string>>,
  uses: Uses = { eventStore: 'write', postgres: true, redis: true },
): Promise<string> => {
  const troubles = await unusableServices(loadConfig(environment), uses);
  return troubles.map(({ service, reason }) => `${service}: ${reason}`).join('\n');
};

/** Accepts, and says nothing. */
const silentServer = async (t: Test): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
};

const MISTAKES = [
  ['server', 'tlsCAFile=other-authority.pem', /signed by an authority that is not trusted/],
  ['server', '', /signed by an authority that is not trusted/],
  ['expired', 'tlsCAFile=authority.pem', /certificate has expired/],
  ['other-name', 'tlsCAFile=authority.pem', /certificate is for another name/],
  ['server', 'tls=false', /want.* TLS \(tls=true\)/],
] as const;

test('a service that cannot be used is named, with the cause', async (t) => {
  const { store } = await startStore(t);
  const plain = Number(new URL(store.url).port);
  const standIn = async (what: StandIn): Promise<number> =>
    (await startStandIn(t, plain, what)).port;
  const url = (port: number, query: string) => {
    const options = query.replace('tlsCAFile=', `tlsCAFile=${TLS}`);
    return { EVENTSTORE_URL: `esdb://${LOGIN}@localhost:${port}?${options}` };
  };
  const key = pem('server.key');
  const secure = await standIn({ tls: { cert: pem('server.pem'), key } });

  await t.test('its certificate', async (t) => {
    for (const [certificate, options, told] of MISTAKES) {
      const port = await standIn({ tls: { cert: pem(`${certificate}.pem`), key } });
      const { EVENTSTORE_URL } = url(port, options);
      const reason = await reasonsOf({ EVENTSTORE_URL: EVENTSTORE_URL.replace(/\?$/, '') });
      t.match(reason, told, `${certificate}, ${options}`);
      t.match(reason, `the event store (EVENTSTORE_URL): localhost:${port}: `);
    }
    t.match(await reasonsOf(url(plain, 'tls=true')), /does not speak TLS/);
  });

  await t.test('its authority, in the URL or in NODE_EXTRA_CA_CERTS', async (t) => {
    t.equal(await reasonsOf(url(secure, 'tlsCAFile=authority.pem')), '');
    const extra = { NODE_EXTRA_CA_CERTS: join(TLS, 'authority.pem') };
    t.equal(await reasonsOf({ ...url(secure, 'tls=true'), ...extra }), '');
    const absent = await reasonsOf(url(secure, 'tlsCAFile=nowhere.pem'));
    t.match(absent, /the file of tlsCAFile cannot be read/);
  });

  await t.test('what it refuses', async (t) => {
    const refusing = async (what: StandIn): Promise<string> =>
      reasonsOf(url(await standIn(what), 'tls=false'));
    t.match(await refusing({ reads: () => 'unauthenticated' }), /does not accept the login/);
    t.match(await refusing({ reads: () => 'access-denied' }), /does not let this service read/);
    t.match(await refusing({ appends: () => 'access-denied' }), /does not let this service write/);
    t.match(await refusing({ appends: () => 'not-ready' }), /no leader that writes/);
    const reader = url(await standIn({ appends: () => 'access-denied' }), 'tls=false');
    t.equal(await reasonsOf(reader, { eventStore: 'read' }), '', 'who only reads needs no more');
  });

  await t.test('who is silent, or not there', async (t) => {
    const port = await silentServer(t);
    const silent = {
      EVENTSTORE_URL: `esdb+discover://${LOGIN}@127.0.0.1:${port}`,
      DATABASE_URL: `postgres://someone:secret@127.0.0.1:${port}/a`,
      REDIS_URL: `redis://:secret@127.0.0.1:${port}`,
    };
    const reasons = await reasonsOf(silent);
    t.match(reasons, /EVENTSTORE_URL\): 127.0.0.1:\d+: it accepts connections and does not answer/);
    t.match(reasons, /Postgres \(DATABASE_URL\): .*(not answer|timeout)/);
    t.match(reasons, /Redis \(REDIS_URL\): it accepts connections and does not answer/);
    const nobody = await freePort();
    t.match(await reasonsOf(url(nobody, 'tls=false')), /nobody listens there/);
    const others = { EVENTSTORE_URL: `esdb://127.0.0.1:${nobody},127.0.0.1:${plain}?tls=false` };
    t.equal(await reasonsOf(others), '', 'one of several is enough');
    t.match(
      await reasonsOf(url(await standIn({ reads: () => 'silent' }), 'tls=false')),
      /The event store does not answer/,
    );
  });

  await t.test('passwords of the others', async (t) => {
    const [postgres, redis] = [databaseUrl(), redisUrl()];
    postgres.password = redis.password = encodeURIComponent(PASSWORD);
    const environment = { DATABASE_URL: postgres.href, REDIS_URL: redis.href };
    const reasons = await reasonsOf(environment);
    t.match(reasons, /Postgres \(DATABASE_URL\): password authentication failed/);
    t.match(reasons, /Redis \(REDIS_URL\): WRONGPASS/);
  });
});

type Ended = Readonly<{ code: number | null; output: string }>;

const run = async (
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Ended> => {
  const child = spawn(process.execPath, [join(DIST, `${program}.js`), ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // For one that does not end.
    timeout: 30_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
};

const PROGRAMS = [
  ['chronoflag', 'main', [], 1],
  ['projections', 'cli/projections', ['rebuild'], 1],
  ['verify', 'cli/verify', [], 2],
  ['credential', 'cli/credential', ['issue'], 1],
] as const;

const lines = (output: string): readonly string[] => output.trimEnd().split('\n');

test('every program that cannot start ends with one line, and tells no secret', async (t) => {
  const { url: DATABASE_URL } = await testDatabase(t, { isMigrated: false });
  const { store } = await startStore(t);
  const { port } = await startStandIn(t, Number(new URL(store.url).port), {
    tls: { cert: pem('server.pem'), key: pem('server.key') },
  });
  keepSecret(PASSWORD);
  const given = (): Record<string, string> => ({
    DATA_DIRECTORY: temporaryFolder(t),
    EVENTSTORE_URL: `esdb://${LOGIN}@localhost:${port}?tlsCAFile=${TLS}other-authority.pem`,
    DATABASE_URL,
    REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
    MASTER_KEY: randomBytes(32).toString('base64'),
    PORT: String(port),
  });
  const told: string[] = [];
  const check = async (
    [name, program, args, exitCode]: readonly [string, string, readonly string[], number],
    more: Readonly<Record<string, string>>,
    line: RegExp,
  ): Promise<void> => {
    const { code, output } = await run(program, args, { ...given(), ...more });
    told.push(output);
    t.equal(code, exitCode, `${name}: ${output}`);
    t.equal(lines(output).length, 1, output);
    t.ok(output.startsWith(`${name}: `), output);
    t.match(output, line);
  };
  const [service] = PROGRAMS;
  const raw = `esdb://admin:${PASSWORD}@localhost:${port}?tls=true`;
  const silent = await silentServer(t);
  const greeting = await startStandIn(t, store.port, { reads: () => 'silent' });
  const CERTIFICATE = /the event store \(EVENTSTORE_URL\): .*authority that is not trusted/;
  await Promise.all(PROGRAMS.map((program) => check(program, {}, CERTIFICATE)));
  const list = ['signing-keys', 'cli/signing-keys', ['list'], 1] as const;
  const rotate = ['audit-key', 'cli/audit-key', ['rotate'], 1] as const;
  const postgres = new URL(DATABASE_URL);
  postgres.password = encodeURIComponent(PASSWORD);
  await Promise.all([
    check(
      service,
      { EVENTSTORE_URL: raw },
      /EVENTSTORE_URL: user and password must be percent-enc/,
    ),
    check(rotate, { EVENTSTORE_URL: raw }, /EVENTSTORE_URL: user and password must be percent-enc/),
    check(list, { DATABASE_URL: postgres.href }, /Postgres \(DATABASE_URL\): password auth/),
    check(service, { EVENTSTORE_URL: `esdb://${LOGIN}@127.0.0.1:${silent}` }, /TLS handshake/),
    check(
      service,
      { EVENTSTORE_URL: `esdb://${LOGIN}@127.0.0.1:${greeting.port}?tls=false` },
      /The event store does not answer/,
    ),
  ]);
  const parts = PASSWORD.split(/[^\w-]+/);
  t.notOk(
    [PASSWORD, ...parts].some((part) => told.join('').includes(part)),
    'no part of a password',
  );
});

test('processes that start side by side make one of everything', async (t) => {
  const { url: DATABASE_URL, pool } = await testDatabase(t, { isMigrated: false });
  const { store } = await startStore(t);
  const environment = {
    PORT: '0',
    EVENTSTORE_URL: store.url,
    DATABASE_URL,
    REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
    REDIS_PREFIX: `starting-${randomBytes(6).toString('hex')}`,
    MASTER_KEY: randomBytes(32).toString('base64'),
    ...WIDE_LIMITS,
  };
  const shown: FirstCredentials[] = [];
  const start = (more = {}) =>
    startService(
      loadConfig({ ...environment, DATA_DIRECTORY: temporaryFolder(t), ...more }),
      testLogger(),
      (issued) => {
        shown.push(issued);
      },
    );
  // The store listens on the port of the third: it fails, and perhaps after it has made the credentials.
  const taken = { PORT: String(store.port) };
  const started = await Promise.allSettled([start(), start(), start(taken)]);
  for (const one of started) if (one.status === 'fulfilled') await one.value.stop();
  t.match(started, [{ status: 'fulfilled' }, { status: 'fulfilled' }, { reason: /is taken/ }]);
  t.equal(shown.length, 1, 'shown by whoever made them, also when its start fails');
  const { rows } = await pool.query<{ kind: string; count: number }>(
    'select c.kind, count(*)::int as count from chronoflag.credentials c group by c.kind order by 1',
  );
  t.strictSame(rows, [
    { kind: 'admin', count: 1 },
    { kind: 'server', count: 1 },
  ]);
  const again = await start();
  await again.stop();
  t.ok(again.isUnused, 'a later start says how to get credentials, as nobody has used these');
});

test('a service starts and works while one host of a cluster is down', async (t) => {
  const { store } = await startStore(t);
  const down = await freePort();
  const up = { port: 0 };
  const members = () => [
    { port: down, isLeader: false, isAlive: false },
    { port: up.port, isLeader: true, isAlive: true },
  ];
  up.port = (await startStandIn(t, store.port, { members })).port;
  for (const [nth, ports] of [
    [down, up.port],
    [up.port, down],
  ].entries()) {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const { get, post, send } = await testService(t, {
      EVENTSTORE_URL: `esdb://${hosts}?tls=false`,
      EVENTSTORE_PREFIX: `cluster${nth}`,
    });
    const { status, body } = await post<{ position: number }>('/projects', {
      body: { key: 'shop' },
    });
    t.equal(status, 201, hosts);
    const headers = { 'x-min-position': String(body.position) };
    t.match(await get('/projects/shop', { headers }), { status: 200 });
    t.match(await send('GET', '/ready'), { status: 200 });
  }
});
