import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type pg from 'pg';
import { test, type Test } from 'tap';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { absentFlag, evolveFlag } from '../../src/domain/flag/flag.js';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { withRebuildDatabase } from '../../src/infrastructure/postgres/rebuild.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { rebuildReadModel } from '../../src/projections/rebuild/rebuild.js';
import { rowsConsumer } from '../../src/projections/run-projection.js';
import { compareReadModel } from '../../src/projections/verify/compare-read-model.js';
import { allChecksums, applyBatches, batchOf } from '../support/applied-rows.js';
import { testDatabase } from '../support/database.js';
import {
  type Entry,
  flagContent,
  onFlag,
  projectBegins,
  recorded,
  skipping,
} from '../support/histories.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { emptyReadModel } from '../support/read-model.js';
import { TENANTS, tenantLogs } from '../support/tenant-histories.js';

const entryOf = ({ stream, type, data }: LogEvent): Entry => ({
  stream,
  event: { type, data } as never,
});

const history = recorded([
  ...projectBegins,
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'production' } }),
  onFlag('alpha', { type: 'FlagArchived', data: {} }),
]);
const ALPHA = 'flag-acme:shop:alpha';

/** The history with one event that no version understands, then what is said and done behind it. */
const oddLog = (nth: number, ...more: readonly Entry[]): readonly LogEvent[] =>
  recorded([...history.map(entryOf), ...more]).map((event, at) =>
    at === nth ? { ...event, type: 'FlagPainted' } : event,
  );

const alphaIn = async (pool: pg.Pool) => {
  const { rows } = await pool.query<{ status: string; revision: number; position: number }>(
    'select f.status, f.revision::int, f.position::int from flag f',
  );
  return rows[0];
};

const parkedIn = async (pool: pg.Pool) => {
  const { rows } = await pool.query<{ stream: string; revision: number; waiting: number }>(
    'select p.stream, p.revision::int, p.waiting::int from parked_stream p',
  );
  return rows;
};

test('behind an event that is skipped its stream goes on, now and at what comes later', async (t) => {
  const { pool } = await testDatabase(t);
  const later = onFlag('alpha', { type: 'FlagUnarchived', data: {} });
  const log = oddLog(4, skipping(ALPHA, 1), later);
  await applyBatches(pool, [log.slice(0, 6)]);
  t.match(await parkedIn(pool), [{ stream: ALPHA, revision: 1, waiting: 1 }]);
  await emptyReadModel(pool);
  const consumer = rowsConsumer(databaseOn(pool), memoryEventLog(log));
  await consumer.resume();
  await consumer.apply(batchOf(log.slice(0, 6)));
  t.match(consumer.parked(), [{ stream: ALPHA, revision: 1 }]);
  await consumer.apply(batchOf(log.slice(6, 7)));
  t.strictSame(consumer.parked(), [], 'it is told no more');
  t.strictSame(await parkedIn(pool), []);
  t.match(await alphaIn(pool), { status: 'archived', revision: 2, position: log[5]!.position });
  await consumer.apply(batchOf(log.slice(7)));
  t.match(await alphaIn(pool), { status: 'active', revision: 3 });
  const trail = await pool.query('select from audit_event');
  t.equal(trail.rowCount, log.length, 'the audit trail keeps all of them');
});

test('the last event of a stream may be skipped; what comes after a restart is applied', async (t) => {
  const { pool } = await testDatabase(t);
  const later = onFlag('alpha', { type: 'FlagArchived', data: {} });
  const log = oddLog(5, skipping(ALPHA, 2), later);
  await applyBatches(pool, [log.slice(0, 7)]);
  t.match(await alphaIn(pool), { status: 'active', revision: 1 });
  const consumer = rowsConsumer(databaseOn(pool), memoryEventLog(log));
  await consumer.resume();
  await consumer.apply(batchOf(log.slice(7)));
  t.strictSame(consumer.parked(), []);
  t.match(await alphaIn(pool), { status: 'archived', revision: 3 });
});

test('the next event that cannot be applied parks the stream again', async (t) => {
  const { pool } = await testDatabase(t);
  const log = oddLog(4, skipping(ALPHA, 1)).map((event, nth) =>
    nth === 5 ? { ...event, type: 'FlagPainted' } : event,
  );
  const { parked } = await applyBatches(pool, [log.slice(0, 6), log.slice(6)]);
  t.match(parked, [{ stream: ALPHA, revision: 2, type: 'FlagPainted', waiting: 0 }]);
  t.match(await parkedIn(pool), [{ stream: ALPHA, revision: 2, waiting: 0 }]);
});

test('what is said in a stream that was parked itself counts when that is replayed', async (t) => {
  const { pool } = await testDatabase(t);
  const log = oddLog(4, skipping(ALPHA, 1));
  const newer = log.map((event, nth) => (nth === 6 ? { ...event, type: 'EventPassed' } : event));
  await applyBatches(pool, [newer]);
  t.equal((await parkedIn(pool)).length, 2);
  const consumer = rowsConsumer(databaseOn(pool), memoryEventLog(log));
  await consumer.resume();
  t.strictSame(consumer.parked(), []);
  t.match(await alphaIn(pool), { status: 'archived', revision: 2 });
});

test('rows that Postgres refuses behind it park the stream there', async (t) => {
  const { pool } = await testDatabase(t);
  const name = randomBytes(20_000).toString('base64');
  const tooLong = { type: 'FlagDetailsChanged', data: { name, description: '', tags: [] } };
  const more = [skipping(ALPHA, 1), skipping(ALPHA, 2)];
  const log = oddLog(4, ...more).map((event, nth) =>
    nth === 5 ? { ...event, ...tooLong } : event,
  );
  await applyBatches(pool, [log.slice(0, 6), log.slice(6, 7)]);
  t.match(await parkedIn(pool), [{ stream: ALPHA, revision: 2, waiting: 0 }]);
  t.match(await alphaIn(pool), { status: 'active', revision: 0 });
  await emptyReadModel(pool);
  await applyBatches(pool, [log.slice(0, 6), log.slice(6)]);
  t.strictSame(await parkedIn(pool), [], 'and both can be skipped');
});

const rebuilt = (url: string, log: readonly LogEvent[]) =>
  withRebuildDatabase(url, (database) =>
    rebuildReadModel({
      ...{ database, eventLog: memoryEventLog(log), signal: new AbortController().signal },
      progress: { phase: 'reading', events: 0, position: -1, head: -1 },
    }),
  );

/** The stream's state without one of its events, folded by itself. */
const stateWithout = (log: readonly LogEvent[], { stream, revision }: LogEvent) =>
  log
    .filter((event) => event.stream === stream && event.revision !== revision)
    .reduce((state, { type, data }) => evolveFlag(state, { type, data } as FlagEvent), absentFlag);

type Case = Readonly<{ log: readonly LogEvent[]; skipped: LogEvent }>;

/** A flag's event, understood or not, and somewhere behind it what an operator says of it. */
const cases: fc.Arbitrary<Case> = fc
  .tuple(tenantLogs(8), fc.nat(100), fc.nat(100), fc.boolean())
  .map(([history, nth, later, isOdd]) => {
    const flags = history.filter(({ stream }) => stream.startsWith('flag-'));
    const skipped = flags[nth % flags.length]!;
    const at = history.indexOf(skipped);
    const entries = history.map(entryOf);
    entries.splice(
      at + 1 + (later % (history.length - at)),
      0,
      skipping(skipped.stream, skipped.revision),
    );
    const log = recorded(entries).map((event, index) =>
      isOdd && index === at ? { ...event, type: 'FlagPainted' } : event,
    );
    return { log, skipped };
  });

const skipAny = async (
  t: Test,
  { pool, url }: Awaited<ReturnType<typeof testDatabase>>,
  { log, skipped }: Case,
): Promise<void> => {
  await emptyReadModel(pool);
  await applyBatches(pool, [log]);
  const atOnce = await allChecksums(pool);
  await emptyReadModel(pool);
  const batches = [];
  for (let at = 0; at < log.length; at += 7) batches.push(log.slice(at, at + 7));
  await applyBatches(pool, batches);
  t.strictSame(await allChecksums(pool), atOnce, 'in one batch or in many');
  const database = databaseOn(pool);
  const compared = await compareReadModel({ database, log: memoryEventLog(log) })([
    ...TENANTS,
    'default',
  ]);
  t.strictSame(compared.differences, []);
  t.match(compared.skipped, [{ stream: skipped.stream, revision: skipped.revision }]);
  const { comparison, isSwapped } = await rebuilt(url, log);
  t.strictSame(comparison?.differences, [], 'a rebuild knows before what is skipped');
  t.equal(isSwapped, true);
  if (skipped.revision === 0) return;
  const { rows } = await pool.query<{ state: unknown }>(
    `select f.state from flag f where 'flag-' || f.project_id || ':' || f.key = $1`,
    [skipped.stream],
  );
  t.strictSame(rows[0]?.state, JSON.parse(JSON.stringify(stateWithout(log, skipped))));
};

test('live = rebuilt = fold of the log without what is skipped', async (t) => {
  const database = await testDatabase(t);
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_127);
  t.comment(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(cases, (one) => skipAny(t, database, one)),
    { seed, numRuns: process.env['FAULTS'] === 'long' ? 60 : 5 },
  );
});
