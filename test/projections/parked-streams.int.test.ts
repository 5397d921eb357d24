import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type pg from 'pg';
import { test, type Test } from 'tap';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { BEGINNING } from '../../src/projections/checkpoint.js';
import { applyBatch } from '../../src/projections/apply-batch.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { trackedStreams } from '../../src/projections/fold/tracked-streams.js';
import { type Database, DataRefused } from '../../src/projections/projection.js';
import { rowsConsumer } from '../../src/projections/run-projection.js';
import { allChecksums, applyBatches, batchOf, checkpointOf } from '../support/applied-rows.js';
import { testDatabase } from '../support/database.js';
import { flagContent, onFlag, projectBegins, recorded } from '../support/histories.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { emptyReadModel } from '../support/read-model.js';
import { tenantLogs } from '../support/tenant-histories.js';

const history = recorded([
  ...projectBegins,
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag('beta', { type: 'FlagCreated', data: flagContent('beta') }),
  onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'production' } }),
  onFlag('beta', { type: 'FlagEnabled', data: { environment: 'production' } }),
  onFlag('alpha', { type: 'FlagArchived', data: {} }),
]);
const ALPHA = 'flag-acme:shop:alpha';
const odd = { ...history[5]!, type: 'FlagPainted' };
const oddLog: readonly LogEvent[] = history.map((event, nth) => (nth === 5 ? odd : event));

/** A Postgres that refuses rows of a stream's state from one revision on, as a limit of an index does. */
const refusing = (pool: pg.Pool, stream: string, revision: number): Database => {
  const database = databaseOn(pool);
  const key = stream.slice(stream.lastIndexOf(':') + 1);
  const project = stream.slice(stream.indexOf('-') + 1, stream.lastIndexOf(':'));
  const isRefused = (json: unknown): boolean =>
    (JSON.parse(String(json)) as Record<string, unknown>[]).some(
      (row) =>
        row['project_id'] === project && row['key'] === key && Number(row['revision']) >= revision,
    );
  return {
    transaction: (work) =>
      database.transaction((tx) =>
        work({
          query: async (text, values = []) => {
            if (/insert into flag \(/.test(text) && isRefused(values[0]))
              throw new DataRefused('index row size exceeds maximum (SQLSTATE 54000)');
            return tx.query(text, values);
          },
        }),
      ),
  };
};

const restart = async (pool: pg.Pool, log: readonly LogEvent[]) => {
  const consumer = rowsConsumer(databaseOn(pool), memoryEventLog(log));
  await consumer.resume();
  return consumer;
};

const flagsIn = async (pool: pg.Pool) => {
  const { rows } = await pool.query<{ key: string; status: string; revision: number }>(
    'select f.key, f.status, f.revision::int from flag f order by f.key',
  );
  return rows;
};

test('a stream with an event that cannot be applied is parked, and all others go on', async (t) => {
  const { pool } = await testDatabase(t);
  const { checkpoint, parked, poison } = await applyBatches(pool, [oddLog]);
  t.equal(poison, undefined);
  t.equal(checkpoint.position, history.at(-1)?.position);
  t.match(parked, [
    { stream: ALPHA, revision: 1, type: 'FlagPainted', error: /unknown/, waiting: 0 },
  ]);
  t.strictSame(await flagsIn(pool), [
    { key: 'alpha', status: 'active', revision: 0 },
    { key: 'beta', status: 'active', revision: 1 },
  ]);
  const held = await pool.query(
    `select p.stream, p.organization_id, p.position::int, p.waiting::int, p.last_position::int
       from parked_stream p`,
  );
  t.strictSame(held.rows, [
    {
      stream: ALPHA,
      organization_id: 'acme',
      position: odd.position,
      waiting: 1,
      last_position: history[7]?.position,
    },
  ]);
  const audit = await pool.query('select a.type from audit_event a order by a.position');
  t.equal(audit.rows.length, history.length, 'the audit trail has all of them');
  t.match(audit.rows[5], { type: 'FlagPainted' });
});

test('a parked stream stays so over batches, restarts and what still cannot be applied', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [oddLog.slice(0, 6), oddLog.slice(6)]);
  const before = await allChecksums(pool);
  const consumer = await restart(pool, oddLog);
  t.match(consumer.parked(), [{ stream: ALPHA, position: odd.position, waiting: 1 }]);
  t.strictSame(await allChecksums(pool), before);
  const more = recorded([
    ...history.map(({ stream, type, data }) => ({ stream, event: { type, data } as never })),
    onFlag('alpha', { type: 'FlagUnarchived', data: {} }),
  ]);
  await consumer.apply(batchOf(more.slice(-1)));
  t.match(consumer.parked(), [{ waiting: 2 }]);
});

test('events that cannot be stored are in the trail by their place only', async (t) => {
  const { pool } = await testDatabase(t);
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
  const bad = [
    { data: { name: 'a\0b' } },
    { data: { deep } },
    { metadata: undefined, data: 'no JSON' },
  ];
  for (const change of bad) {
    await emptyReadModel(pool);
    const log = history.map((event, nth) => (nth === 5 ? { ...event, ...change } : event));
    const { parked } = await applyBatches(pool, [log]);
    t.match(parked, [{ stream: ALPHA, position: odd.position }]);
    const { rows } = await pool.query(
      'select a.data, a.actor_id from audit_event a where a.position = $1',
      [odd.position],
    );
    t.match(rows, [{ data: {}, actor_id: 'unknown' }]);
  }
});

test('what Postgres refuses parks its stream after three tries', async (t) => {
  const { pool } = await testDatabase(t);
  const name = randomBytes(20_000).toString('base64');
  const log: readonly LogEvent[] = history.map((event, nth) =>
    nth === 5
      ? { ...event, type: 'FlagDetailsChanged', data: { name, description: '', tags: [] } }
      : event,
  );
  const { parked, checkpoint } = await applyBatches(pool, [log]);
  t.match(parked, [{ stream: ALPHA, position: odd.position, error: /54000/ }]);
  t.equal(checkpoint.position, history.at(-1)?.position);
  t.equal((await checkpointOf(pool)).position, checkpoint.position);
  const kept = await pool.query<{ name: string }>(
    `select a.data ->> 'name' as name from audit_event a where a.position = $1`,
    [odd.position],
  );
  t.equal(kept.rows[0]?.name, name, 'the trail has what it says');
});

test('after a restart that can apply them, the events that waited are applied in order', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [history]);
  const straight = await allChecksums(pool);
  await emptyReadModel(pool);
  const database = refusing(pool, ALPHA, 1);
  await applyBatch(database, trackedStreams(memoryEventLog()), BEGINNING, batchOf(history));
  t.match(await flagsIn(pool), [
    { key: 'alpha', revision: 0 },
    { key: 'beta', revision: 1 },
  ]);
  const consumer = await restart(pool, history);
  t.strictSame(consumer.parked(), []);
  t.strictSame(await allChecksums(pool), straight);
});

test('a stream that an earlier version parked behind events of others is replayed', async (t) => {
  const { pool } = await testDatabase(t);
  // Of the flag, and of a stream that only the audit trail has: two events of others in front of the second of ours.
  const keys = ['ApiKeyIssued', 'ApiKeyRevoked'].map((type) => ({
    ...{ stream: 'apiKey-acme:k', event: { type, data: { keyId: 'k' } } as never },
  }));
  const all = recorded([
    ...history.map(({ stream, type, data }) => ({ stream, event: { type, data } as never })),
    ...keys,
  ]);
  const behindOthers = (event: LogEvent): LogEvent =>
    event.revision > 0 && [ALPHA, 'apiKey-acme:k'].includes(event.stream)
      ? { ...event, revision: event.revision + 2 }
      : event;
  const log = all.map(behindOthers);
  const told = log.map((event) => (event.revision === 3 ? { ...event, follows: 0 } : event));
  await applyBatches(pool, [told]);
  const straight = await allChecksums(pool);
  await emptyReadModel(pool);
  t.match((await applyBatches(pool, [log])).parked, [
    { stream: ALPHA, revision: 3 },
    { stream: 'apiKey-acme:k', revision: 3 },
  ]);
  t.equal((await restart(pool, log)).parked().length, 2, 'the log does not show what lies between');
  t.strictSame((await restart(pool, told)).parked(), []);
  t.strictSame(await allChecksums(pool), straight);
});

const parkAny = async (t: Test, pool: pg.Pool, log: readonly LogEvent[], nth: number) => {
  const flags = log.filter(({ stream }) => stream.startsWith('flag-'));
  const { stream, revision } = flags[nth % flags.length]!;
  await emptyReadModel(pool);
  await applyBatches(pool, [log]);
  const straight = await allChecksums(pool);
  await emptyReadModel(pool);
  const half = Math.floor(log.length / 2);
  const streams = trackedStreams(memoryEventLog());
  const database = refusing(pool, stream, revision);
  const first = await applyBatch(database, streams, BEGINNING, batchOf(log.slice(0, half)));
  await applyBatch(database, streams, first.checkpoint, batchOf(log.slice(half)));
  const { rowCount } = await pool.query('select from parked_stream');
  t.equal(rowCount, 1);
  await restart(pool, log);
  t.strictSame(await allChecksums(pool), straight);
};

test('whatever was parked, after a replay all rows are those of a log without a fault', async (t) => {
  const { pool } = await testDatabase(t);
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_126);
  t.comment(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(tenantLogs(8), fc.nat(100), (log, nth) => parkAny(t, pool, log, nth)),
    { seed, numRuns: process.env['FAULTS'] === 'long' ? 60 : 5 },
  );
});
