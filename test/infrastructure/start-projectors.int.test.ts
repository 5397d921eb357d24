import { test, type Test } from 'tap';
import { type Position } from '../../src/domain/position.js';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { createProjectorRedis } from '../../src/infrastructure/redis/snapshot.js';
import { startProjectors } from '../../src/infrastructure/start-projectors.js';
import { loadCurrentStates } from '../../src/queries/evaluation/current-states.js';
import { nothingSealed } from '../support/personal-data.js';
import { allChecksums, applyBatches } from '../support/applied-rows.js';
import { testDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { flagContent, onFlag, projectBegins, recorded } from '../support/histories.js';
import { silentLog } from '../support/live-projection.js';
import { type MemoryEventLog, memoryEventLog } from '../support/memory-event-log.js';
import { testRedis } from '../support/redis.js';
import { tcpProxy } from '../support/tcp-proxy.js';

const log = recorded([
  ...projectBegins,
  ...Array.from({ length: 30 }, (_, nth) =>
    onFlag(`flag-${nth}`, { type: 'FlagCreated', data: flagContent(`flag-${nth}`) }),
  ),
]);
const positionAt = (nth: number): number => Number(log[nth]!.position);
const end = log.at(-1)!.position;

const setUp = async (t: Test) => {
  const { url, pool } = await testDatabase(t);
  const { prefix, flush } = await testRedis(t);
  const start = (
    eventLog: MemoryEventLog,
    urls: { database?: string; redis?: string | undefined } = {},
  ) => {
    const redis = createProjectorRedis(urls.redis ?? process.env['TEST_REDIS_URL'] ?? '');
    const projectors = startProjectors({
      eventLog,
      pool,
      databaseUrl: urls.database ?? url,
      redis,
      layout: redisLayout(prefix),
      loadCurrentStates: loadCurrentStates(pool),
      personal: nothingSealed,
      log: silentLog,
    });
    const stop = async (): Promise<void> => {
      await projectors.stop();
      redis.disconnect();
    };
    t.teardown(stop);
    return {
      ...projectors,
      stop,
      isLiveAt: (position: Position) =>
        eventually(() =>
          projectors.status().every((s) => s.state === 'live' && s.position === position),
        ),
      isAll: (state: string) =>
        eventually(() => projectors.status().every((s) => s.state === state)),
      isVerified: () => eventually(async () => (await projectors.verifyRedis())?.length === 0),
    };
  };
  return { url, pool, flush, start };
};

test('both projections follow the log, and say where they are', async (t) => {
  const { pool, start } = await setUp(t);
  const eventLog = memoryEventLog(log.slice(0, 10));
  const projectors = start(eventLog);
  await projectors.isLiveAt(positionAt(9));
  eventLog.append(...log.slice(10));
  await projectors.isLiveAt(end);
  t.match(projectors.status(), [
    { projection: 'read_model', eventsApplied: log.length, recordedAt: log.at(-1)?.recordedAt },
    { projection: 'evaluation_snapshot', position: end },
  ]);
  t.strictSame(await projectors.verifyRedis(), []);
  const { pool: other } = await testDatabase(t);
  await applyBatches(other, [log]);
  t.strictSame(await allChecksums(pool), await allChecksums(other));
});

test('one of two leads, and the other takes over', async (t) => {
  const { start } = await setUp(t);
  const eventLog = memoryEventLog(log.slice(0, 10));
  const first = start(eventLog);
  await first.isLiveAt(positionAt(9));
  const second = start(eventLog);
  eventLog.append(...log.slice(10, 20));
  await first.isLiveAt(positionAt(19));
  t.ok(second.status().every(({ state }) => state === 'standby'));
  await first.stop();
  t.ok(first.status().every(({ state }) => state === 'standby'));
  eventLog.append(...log.slice(20));
  await second.isLiveAt(end);
  t.strictSame(await second.verifyRedis(), []);
});

test('a leader whose session ends stops, and leads again', async (t) => {
  const { pool, start } = await setUp(t);
  const eventLog = memoryEventLog(log.slice(0, 10));
  const projectors = start(eventLog);
  await projectors.isLiveAt(positionAt(9));
  const killed = await pool.query(
    `select pg_terminate_backend(a.pid) from pg_stat_activity a
      where a.application_name = 'chronoflag leader' and a.datname = current_database()`,
  );
  t.equal(killed.rowCount, 1);
  await projectors.isAll('retrying');
  eventLog.append(...log.slice(10));
  await projectors.isLiveAt(end);
});

test('a lost subscription is taken up again where it ended', async (t) => {
  const { start } = await setUp(t);
  const eventLog = memoryEventLog(log.slice(0, 10));
  const projectors = start(eventLog);
  await projectors.isLiveAt(positionAt(9));
  eventLog.breakSubscriptions();
  await projectors.isAll('retrying');
  eventLog.append(...log.slice(10));
  await projectors.isLiveAt(end);
  t.equal(projectors.status()[0]?.eventsApplied, log.length);
});

test('a stored position that is beyond the last event makes nobody miss the next', async (t) => {
  const { pool, start } = await setUp(t);
  const before = start(memoryEventLog(log.slice(0, 10)));
  await before.isLiveAt(positionAt(9));
  await before.stop();
  await pool.query('update checkpoint set position = $1', [positionAt(10)]);
  const eventLog = memoryEventLog(log.slice(0, 10));
  const after = start(eventLog);
  await after.isLiveAt(positionAt(10));
  eventLog.append(log[10]!);
  await eventually(() => after.status().every(({ eventsApplied }) => eventsApplied === 1));
  eventLog.append(...log.slice(11));
  await after.isLiveAt(end);
  t.strictSame(await after.verifyRedis(), []);
  const { pool: other } = await testDatabase(t);
  await applyBatches(other, [log]);
  t.strictSame(await allChecksums(pool), await allChecksums(other));
});

test('lost connections to Postgres are survived', async (t) => {
  const { pool, start } = await setUp(t);
  const eventLog = memoryEventLog(log.slice(0, 10));
  const projectors = start(eventLog);
  await projectors.isLiveAt(positionAt(9));
  for (let nth = 10; nth < log.length; nth++) {
    eventLog.append(log[nth]!);
    await pool
      .query(
        `select pg_terminate_backend(a.pid) from pg_stat_activity a
          where a.datname = current_database() and a.application_name = 'chronoflag projector'`,
      )
      .catch(() => undefined);
  }
  await projectors.isLiveAt(end);
  t.strictSame(await projectors.verifyRedis(), []);
});

test('a Redis that is flushed while idle is filled again', async (t) => {
  const { flush, start } = await setUp(t);
  const projectors = start(memoryEventLog(log));
  await projectors.isLiveAt(end);
  await flush();
  await projectors.isVerified();
  t.equal(projectors.status()[1]?.state, 'live');
});

for (const fault of ['refuse', 'freeze'] as const)
  test(`a Redis that does not answer (${fault}) holds up only itself`, async (t) => {
    const { start } = await setUp(t);
    const proxy = await tcpProxy(t, process.env['TEST_REDIS_URL'] ?? '');
    const eventLog = memoryEventLog(log.slice(0, 10));
    const projectors = start(eventLog, { redis: proxy.url });
    await projectors.isLiveAt(positionAt(9));
    proxy[fault]();
    eventLog.append(...log.slice(10));
    await eventually(() => projectors.status()[0]?.position === end);
    await eventually(() => projectors.status()[1]?.state === 'retrying');
    t.equal(projectors.status()[0]?.state, 'live');
    proxy.resume();
    await projectors.isLiveAt(end);
    t.strictSame(await projectors.verifyRedis(), []);
  });

test('a half-open connection gives leadership up', async (t) => {
  const { url, start } = await setUp(t);
  const proxy = await tcpProxy(t, url);
  const projectors = start(memoryEventLog(log), { database: proxy.url });
  await projectors.isLiveAt(end);
  proxy.freeze();
  await projectors.isAll('retrying');
  proxy.resume();
  await projectors.isLiveAt(end);
});
