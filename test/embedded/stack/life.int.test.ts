import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { keepSecret } from '../../support/canary.js';
import { runProgram } from '../../support/programs.js';
import {
  lives,
  temporaryFolder,
  pidOf,
  processes,
  program,
  query,
  redisCommand,
  startStack,
  until,
} from './stack-support.js';

const ALL = { eventStore: true, postgres: true, redis: true };
const STORES = { eventStore: false, postgres: true, redis: true };

test('a stack that is started again has its data and its addresses, and a stopped one no process', async (t) => {
  const dataDirectory = join(temporaryFolder(t), 'data');
  const options = { dataDirectory, needs: ALL, eventStoreEntry: program('tiny-event-store.mjs') };
  const first = await startStack(t, options);
  await query(first.databaseUrl, 'create table kept (n int)');
  await query(first.databaseUrl, 'insert into kept values (7)');
  await redisCommand(first.redisUrl, 'set', 'kept', '7');
  const { services, guardian } = processes(dataDirectory);
  t.equal(services.filter(lives).length, 3);
  await first.stop();
  t.strictSame(services.filter(lives), []);
  t.throws(() => process.kill(guardian, 0), { code: 'ESRCH' }, 'nor a guardian');

  const again = await startStack(t, options);
  const urls = ({ databaseUrl, redisUrl, eventStoreUrl }: typeof first) => [
    databaseUrl,
    redisUrl,
    eventStoreUrl,
  ];
  t.strictSame(urls(again), urls(first));
  t.strictSame(await query(again.databaseUrl, 'select n from kept'), [[7]]);
  t.equal(await redisCommand(again.redisUrl, 'get', 'kept'), '7');
});

test('only its owner may read the passwords, and nobody gets in without one', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const { databaseUrl = '', redisUrl = '' } = await startStack(t, { dataDirectory, needs: STORES });
  t.equal(statSync(join(dataDirectory, 'stack.json')).mode & 0o777, 0o600);
  t.equal(statSync(join(dataDirectory, 'redis', 'redis.conf')).mode & 0o777, 0o600);
  const withoutPassword = (url: string) => url.replace(/:[^:@]*@/, ':wrong@');
  await t.rejects(query(withoutPassword(databaseUrl), 'select 1'), { code: '28P01' });
  await t.rejects(redisCommand(withoutPassword(redisUrl), 'ping'));
  const [settings] = await query(
    databaseUrl,
    "select current_setting('fsync'), usesuper from pg_user where usename = user",
  );
  t.strictSame(settings, ['on', false], 'every commit is flushed, and the service is no superuser');

  await t.test('programs join it, with an event store that is elsewhere', async (t) => {
    const { TEST_EVENTSTORE_URL: EVENTSTORE_URL } = process.env;
    const own = { EVENTSTORE_URL, EVENTSTORE_PREFIX: 'elsewhere', DATA_DIRECTORY: dataDirectory };
    const run = (program: string, ...args: readonly string[]): Promise<string> =>
      runProgram(own, program, ...args);
    const first = await run('cli/projections', 'rebuild');
    t.match(first, /^0\n[^]*Rebuilt from 0 events/, first);
    const issued = await run('cli/credential', 'issue');
    t.match(issued, /^0\nThe admin credential/, issued);
    keepSecret(/(cf_\S+)/.exec(issued)?.[1] ?? '');
    const [status, keys, verified] = await Promise.all([
      run('cli/projections', 'status'),
      run('cli/signing-keys', 'list'),
      run('cli/verify'),
    ]);
    t.match(status, /^0\nread_model: position -1/, status);
    t.match(keys, /^0\n/, keys);
    t.match(verified, /^[03]\n/, verified);
  });
});

test('a port that was taken in the meantime is replaced by another', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const first = await startStack(t, { dataDirectory, needs: STORES });
  await redisCommand(first.redisUrl, 'set', 'kept', '7');
  await first.stop();
  const squatter = createServer();
  squatter.listen(Number(new URL(first.redisUrl ?? '').port), '127.0.0.1');
  await once(squatter, 'listening');
  t.teardown(() => squatter.close());

  const again = await startStack(t, { dataDirectory, needs: STORES });
  t.not(again.redisUrl, first.redisUrl);
  t.equal(again.databaseUrl, first.databaseUrl);
  t.equal(await redisCommand(again.redisUrl, 'get', 'kept'), '7');
});

test('a service that is killed comes back on its address, with its data, and it is told', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const stack = await startStack(t, { dataDirectory, needs: STORES });
  const crashed: string[] = [];
  stack.onCrash(({ name, reason }) => crashed.push(`${name}: ${reason}`));
  await query(stack.databaseUrl, 'create table kept (n int)');
  await redisCommand(stack.redisUrl, 'set', 'kept', '7');

  process.kill(pidOf(dataDirectory, /127\.0\.0\.1/), 'SIGKILL');
  await until(() => stack.logged.includes('Redis runs again'));
  t.equal(await redisCommand(stack.redisUrl, 'get', 'kept'), '7');

  process.kill(pidOf(dataDirectory, /postgres/), 'SIGKILL');
  await until(() => stack.logged.includes('Postgres runs again'));
  t.strictSame(await query(stack.databaseUrl, 'select n from kept'), []);
  t.strictSame(
    new Set(crashed),
    new Set(['Redis: SIGKILL', ...crashed.filter((one) => one.startsWith('Postgres: '))]),
  );
  t.ok(crashed.includes('Postgres: SIGKILL'));
});

test('a guardian that is killed is replaced, with its services', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const stack = await startStack(t, { dataDirectory, needs: STORES });
  await query(stack.databaseUrl, 'create table kept (n int)');
  const { guardian, services } = processes(dataDirectory);
  process.kill(guardian, 'SIGKILL');
  await until(() => stack.logged.includes('the local services run again'));
  t.strictSame(services.filter(lives), [], 'the old ones have ended');
  t.strictSame(await query(stack.databaseUrl, 'select n from kept'), []);
  t.equal(await redisCommand(stack.redisUrl, 'ping'), 'PONG');
  const replaced = processes(dataDirectory).services;
  await stack.stop();
  t.strictSame(replaced.filter(lives), []);
});
