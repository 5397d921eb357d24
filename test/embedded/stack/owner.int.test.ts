import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { test } from 'tap';
import {
  lives,
  temporaryFolder,
  NOTHING,
  processes,
  query,
  redisCommand,
  refusal,
  startOwner,
  startStack,
  until,
} from './stack-support.js';

test('a service that is killed leaves no process', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const owner = await startOwner(t, dataDirectory);
  const { services, guardian } = processes(dataDirectory);
  t.equal(services.filter(lives).length, 2);
  owner.child.kill('SIGKILL');
  await until(() => !services.some(lives) && !lives({ pid: guardian, mark: 'guardian' }));
  t.pass('Postgres, Redis and the guardian have ended');
});

test('nor does one whose data directory was removed under it', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const owner = await startOwner(t, dataDirectory);
  const { services, guardian } = processes(dataDirectory);
  rmSync(dataDirectory, { recursive: true });
  owner.child.kill('SIGKILL');
  await until(() => !services.some(lives) && !lives({ pid: guardian, mark: 'guardian' }));
  t.pass('Postgres, Redis and the guardian have ended');
});

test('a service that is killed and started at once waits for its leftovers and finds its data', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const owner = await startOwner(t, dataDirectory);
  await query(owner.databaseUrl, 'create table kept as select 7 as n');
  await redisCommand(owner.redisUrl, 'set', 'kept', '7');
  const before = processes(dataDirectory).services;
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');

  const needs = { eventStore: false, postgres: true, redis: true };
  const stack = await startStack(t, { dataDirectory, needs });
  t.strictSame(before.filter(lives), [], 'the old ones had ended first');
  t.strictSame(await query(stack.databaseUrl, 'select n from kept'), [[7]]);
  t.equal(await redisCommand(stack.redisUrl, 'get', 'kept'), '7');
});

test('when the service and its guardian are both killed, the next start ends what they left', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const owner = await startOwner(t, dataDirectory);
  await query(owner.databaseUrl, 'create table kept as select 7 as n');
  const before = processes(dataDirectory);
  owner.child.kill('SIGSTOP'); // so that it cannot replace its guardian
  process.kill(before.guardian, 'SIGKILL');
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  t.equal(before.services.filter(lives).length, 2);

  const needs = { eventStore: false, postgres: true, redis: true };
  const stack = await startStack(t, { dataDirectory, needs });
  t.strictSame(before.services.filter(lives), []);
  t.strictSame(await query(stack.databaseUrl, 'select n from kept'), [[7]]);
});

test('Ctrl-C reaches the service alone: Postgres and Redis answer until it stops them', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const owner = await startOwner(t, dataDirectory);
  const { services } = processes(dataDirectory);
  process.kill(-owner.child.pid!, 'SIGINT'); // to the whole process group, as a terminal does
  await until(() => owner.lines.includes('interrupted'));
  t.strictSame(await query(owner.databaseUrl, 'select 1'), [[1]]);
  t.equal(await redisCommand(owner.redisUrl, 'ping'), 'PONG');
  owner.child.kill('SIGTERM');
  const [code] = (await once(owner.child, 'exit')) as [number];
  t.equal(code, 0);
  t.strictSame(services.filter(lives), [], 'all had ended before it did');
});

test('a data directory belongs to one service at a time', async (t) => {
  const dataDirectory = temporaryFolder(t);
  const owner = await startOwner(t, dataDirectory);
  t.equal(
    await refusal(t, { dataDirectory, needs: NOTHING }),
    `data directory ${dataDirectory} is in use by process ${owner.child.pid!}; stop it, or set DATA_DIRECTORY to another folder`,
  );
  t.strictSame(await query(owner.databaseUrl, 'select 1'), [[1]], 'its services are not disturbed');
});
