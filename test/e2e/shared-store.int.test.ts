import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { test, type Test } from 'tap';
import { type FirstCredentials } from '../../src/composition/first-start.js';
import { startService } from '../../src/composition/service.js';
import { loadConfig } from '../../src/config.js';
import { keepSecret, testLogger } from '../support/canary.js';
import { testDatabase } from '../support/database.js';
import { startStore, temporaryFolder } from '../support/event-store.js';
import { freePort } from '../support/free-port.js';
import { httpClient } from '../support/http-client.js';
import { runProgram, runRebuild, runStatus, runVerify } from '../support/programs.js';
import { testService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

type Environment = Readonly<Record<string, string>>;

const FLAG = '/projects/demo/flags/both';

/** Makes the same flag as the other does, with another name and value, and looks at it in every way. */
const uses = async (t: Test, service: TestService, name: string, isOn: boolean): Promise<void> => {
  const created = await service.post('/projects/demo/flags', {
    body: { key: 'both', type: 'boolean', name },
  });
  t.equal(created.status, 201, created.text);
  const { body } = await service.post<{ position: number }>(
    `${FLAG}/environments/production/${isOn ? 'enable' : 'disable'}`,
  );
  const last = body.position;
  const headers = { 'x-min-position': String(last) };
  t.match(await service.get(FLAG, { headers }), { status: 200, body: { name } });
};

const evaluates = (service: TestService) =>
  service.send('POST', '/ofrep/v1/evaluate/flags/both', {
    credential: service.serverKey,
    body: { context: { targetingKey: 'anna' } },
  });

const starts = (environment: Environment) =>
  startService(loadConfig(environment), testLogger(), () => undefined);

test('three installations on one event store', async (t) => {
  const shop = await testService(t, { EVENTSTORE_PREFIX: 'shop' });
  const { EVENTSTORE_URL = '' } = shop.environment;
  const bank = await testService(t, { EVENTSTORE_URL });
  // The beginning of another's prefix.
  const club = await testService(t, { EVENTSTORE_URL, EVENTSTORE_PREFIX: 'sho' });

  await t.test('have the same names, and nothing in common', async (t) => {
    await uses(t, shop, 'of the shop', true);
    await uses(t, bank, 'of the bank', false);
    await uses(t, club, 'of the club', false);
    t.match((await shop.get(FLAG)).body, { name: 'of the shop' });
    t.match((await bank.get(FLAG)).body, { name: 'of the bank' });
    t.match(await evaluates(shop), { status: 200, body: { value: true } });
    for (const other of [bank, club])
      t.match(await evaluates(other), { status: 200, body: { value: false } });
    t.equal((await bank.get('/projects/demo', { credential: shop.credential })).status, 401);
    for (const { get } of [shop, bank, club]) {
      const { body, text } = await get<{ items: unknown[] }>(
        '/audit?type=FlagCreated&flag=both&project=demo',
      );
      t.equal(body.items.length, 1);
      const { stream = '' } = /"stream":"(?<stream>[^"]*)"/.exec(text)?.groups ?? {};
      t.equal(stream, 'flag-default:demo:both', 'its prefix is between it and the store');
    }
    t.equal((await bank.delete(FLAG)).status, 200);
    t.match(await shop.get(FLAG), { status: 200 });
    t.match(await club.get(FLAG), { body: { name: 'of the club' } });
    t.match(await evaluates(shop), { status: 200, body: { value: true } });
    t.match(await evaluates(club), { status: 200, body: { value: false } });
  });

  await t.test('each rebuilds and verifies its own', async (t) => {
    for (const { environment, post } of [shop, bank, club]) {
      await post('/audit/checkpoints');
      t.match(await runRebuild(environment), /^0\n[^]*The rebuilt read model is equal\./);
      t.match(await runVerify(environment), /^0\n/);
      t.match(await runStatus(environment), /^0\nread_model: position \d+/);
    }
    const issued = await runProgram(shop.environment, 'cli/credential', 'issue');
    const [, credential = ''] = /(cf_\S+)/.exec(issued) ?? [];
    keepSecret(credential);
    t.match(await shop.get(FLAG, { credential }), { body: { name: 'of the shop' } });
  });

  const ownOf = async () => ({
    DATABASE_URL: (await testDatabase(t)).url,
    DATA_DIRECTORY: temporaryFolder(t),
    REDIS_PREFIX: `e2e-${randomUUID()}`,
  });

  await t.test('a third that has no prefix of its own does not start', async (t) => {
    const MASTER_KEY = randomBytes(32).toString('base64');
    keepSecret(MASTER_KEY);
    const stranger = { ...bank.environment, ...(await ownOf()), MASTER_KEY };
    const told = await runProgram(stranger, 'main');
    t.match(told, /^1\nchronoflag: the log in [^\n]+another master key: give this one[^\n]+\n$/);
    await t.rejects(starts({ ...stranger, ROLE: 'projector' }), /another master key/);
    t.match(
      await runProgram(stranger, 'cli/credential', 'issue'),
      /^1\ncredential: the log in the/,
    );
  });

  await t.test('nor one that has lost its prefix, whatever the program', async (t) => {
    const lost = { ...shop.environment, EVENTSTORE_PREFIX: 'shpo' };
    const refusal = { name: 'StartupError', message: /Postgres \(DATABASE_URL\) does not belong/ };
    await t.rejects(starts(lost), refusal);
    await t.rejects(runRebuild(lost), refusal);
    await t.rejects(runVerify(lost), refusal);
    await t.rejects(runStatus(lost), refusal);
  });

  await t.test('nor does one that started without services write into another log', async (t) => {
    const port = await freePort();
    const url = `esdb://127.0.0.1:${port}?tls=false`;
    const said: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => said.push(line) });
    const late = { ...bank.environment, EVENTSTORE_URL: url };
    const { url: service, stop } = await startService(loadConfig(late), log, () => undefined);
    const client = httpClient(service, bank.credential);
    try {
      await startStore(t, temporaryFolder(t), { port });
      await until('the log is refused', () => said.join('').includes('does not belong to the log'));
      t.match(await client.post('/projects', { body: { key: 'mixed', name: 'Mixed' } }), {
        status: 503,
        body: { type: 'urn:chronoflag:problem:event-store-unavailable' },
      });
    } finally {
      client.disconnect();
      await stop();
    }
  });

  await t.test('one whose database is lost is built anew from its own log', async (t) => {
    const again = { ...shop.environment, ...(await ownOf()) };
    const shown: FirstCredentials[] = [];
    const { url, stop } = await startService(loadConfig(again), testLogger(), (issued) => {
      shown.push(issued);
    });
    const { admin = '', server = '' } = shown[0] ?? {};
    keepSecret(admin, server);
    const client = httpClient(url, admin);
    try {
      await until('the flag is there', async () => (await client.get(FLAG)).status === 200);
      t.match((await client.get(FLAG)).body, { name: 'of the shop' });
    } finally {
      client.disconnect();
      await stop();
    }
  });
});
