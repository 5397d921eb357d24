import * as fc from 'fast-check';
import { test, type Test } from 'tap';
import { RebuildRunning, withRebuildDatabase } from '../../src/infrastructure/postgres/rebuild.js';
import { type EventLog, type LogEvent } from '../../src/projections/event-log.js';
import { READ_MODELS } from '../../src/projections/read-models.js';
import { rebuildReadModel } from '../../src/projections/rebuild/rebuild.js';
import { type RebuildDatabase } from '../../src/projections/rebuild/rebuild-database.js';
import { testDatabase } from '../support/database.js';
import {
  type Entry,
  flagContent,
  onFlag,
  onProject,
  PROJECT_ID,
  projectBegins,
  recorded,
} from '../support/histories.js';
import { liveProjection } from '../support/live-projection.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { allChecksums, applyBatches, checkpointOf } from '../support/applied-rows.js';
import { emptyReadModel, fillReadModel } from '../support/read-model.js';
import { tenantLogs } from '../support/tenant-histories.js';

const odd = 'tab\t "quoted" back\\slash\nline {brace} \u{1f600} \\N';
const flagOf = (nth: number) => `flag-${nth % 20}`;
const entries: readonly Entry[] = [
  ...projectBegins,
  { stream: 'organization-acme', event: { type: 'OrganizationRegistered', data: { name: odd } } },
  ...Array.from({ length: 20 }, (_, nth) =>
    onFlag(flagOf(nth), { type: 'FlagCreated', data: { ...flagContent(flagOf(nth)), name: odd } }),
  ),
  ...Array.from({ length: 300 }, (_, nth) =>
    onFlag(flagOf(nth * 7), {
      type: 'FlagDetailsChanged',
      data: { name: `${odd} ${nth}`, description: odd, tags: [odd, `t${nth}`, 'a,b', '{}'] },
    }),
  ),
  onProject({ type: 'ProjectDetailsChanged', data: { name: odd, description: '' } }),
];
const log = recorded(entries);
const positionAt = (nth: number): number => Number(log[nth]!.position);
const end = log.at(-1)!.position;

const rebuild = (
  url: string,
  eventLog: EventLog,
  {
    change = () => ({}),
    replacesDifferent = false,
  }: {
    change?: (database: RebuildDatabase) => Partial<RebuildDatabase>;
    replacesDifferent?: boolean;
  } = {},
) =>
  withRebuildDatabase(url, (database) =>
    rebuildReadModel({
      database: { ...database, ...change(database) },
      eventLog,
      replacesDifferent,
      signal: new AbortController().signal,
      progress: { phase: 'reading', events: 0, position: -1, head: -1 },
    }),
  );

/** What applying the whole log at once leaves, in a database of its own. */
const applied = async (t: Test, events: readonly LogEvent[]) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [events]);
  return allChecksums(pool);
};

test('a rebuild equals the live read model, also with events that arrive meanwhile', async (t) => {
  const { url, pool } = await testDatabase(t);
  const eventLog = memoryEventLog(log.slice(0, 250), { batchSize: 40 });
  const live = liveProjection(t, pool, eventLog);
  await live.reaches(positionAt(249));
  const prepared = { name: 'count', text: 'select count(*)::int as n from flag_revision' };
  await pool.query(prepared);

  const report = await rebuild(url, eventLog, {
    change: (database) => ({
      index: async () => {
        eventLog.append(...log.slice(250, 290));
        await database.index();
        await live.reaches(positionAt(289));
        eventLog.append(...log.slice(290, 300));
      },
      swap: async (align) => {
        eventLog.append(...log.slice(300, 310));
        await live.reaches(positionAt(309));
        await database.swap(async (position) => {
          await align(position);
          eventLog.append(...log.slice(310));
        });
      },
    }),
  });

  t.ok(report.comparison);
  t.strictSame(report.comparison?.rebuilt, report.comparison?.live);
  t.equal(report.poison, undefined);
  await live.reaches(end);
  t.equal(live.status().state, 'live');
  t.strictSame(await allChecksums(pool), await applied(t, log));
  t.equal((await checkpointOf(pool)).position, end);
  t.match((await pool.query(prepared)).rows, [{ n: 320 }]);
  const schemas = await pool.query(`select from pg_namespace where nspname like 'read_model_%'`);
  t.equal(schemas.rowCount, 0);
});

const ALTERED = `update flag_revision set state = state || '{"salt": "x"}'
                  where flag_key = 'flag-3' and revision = 2`;

test('a rebuilt read model that differs is not put in place, and the rows are named', async (t) => {
  const { url, pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  await pool.query(ALTERED);
  await pool.query(`delete from flag where key = 'flag-7'`);
  const before = await allChecksums(pool);
  const { comparison, isSwapped } = await rebuild(url, memoryEventLog(log));
  t.equal(isSwapped, false);
  t.strictSame(comparison?.differences, [
    {
      table: 'flag',
      key: { project_id: PROJECT_ID, key: 'flag-7' },
      column: null,
      only: 'rebuilt',
    },
    {
      table: 'flag_revision',
      key: { project_id: PROJECT_ID, flag_key: 'flag-3', revision: 2 },
      column: 'state',
    },
  ]);
  t.strictSame(await allChecksums(pool), before);
  const schemas = await pool.query(`select from pg_namespace where nspname like 'read_model_%'`);
  t.equal(schemas.rowCount, 0);
});

test('one that differs is put in place when that is asked for', async (t) => {
  const { url, pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const good = await allChecksums(pool);
  await pool.query(ALTERED);
  const { comparison, isSwapped } = await rebuild(url, memoryEventLog(log), {
    replacesDifferent: true,
  });
  t.equal(isSwapped, true);
  t.match(comparison?.differences, [{ table: 'flag_revision' }]);
  t.strictSame(await allChecksums(pool), good);
});

test('what tells one row from another is what Postgres holds unique', async (t) => {
  const { pool } = await testDatabase(t);
  const { rows } = await pool.query<{ name: string; key: readonly string[] }>(
    `select c.conrelid::regclass::text as name,
            array(select a.attname::text
                    from unnest(c.conkey) with ordinality as k (number, nth)
                    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
                   order by k.nth) as key
       from pg_constraint c
      where c.contype = 'p' and c.connamespace = 'read_model'::regnamespace`,
  );
  const keys = new Map(rows.map(({ name, key }) => [name, key]));
  for (const { name, key } of READ_MODELS.flatMap(({ tables }) => tables))
    t.strictSame(keys.get(name), key, name);
});

test('rebuilt, live and the fold of the log are the same, for any histories of several organizations', async (t) => {
  const { url, pool } = await testDatabase(t);
  const { pool: plain } = await testDatabase(t);
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_126);
  t.comment(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(tenantLogs(), fc.integer({ min: 1, max: 40 }), async (history, size) => {
      await emptyReadModel(pool);
      const batches = Array.from({ length: Math.ceil(history.length / size) }, (_, nth) =>
        history.slice(nth * size, (nth + 1) * size),
      );
      await applyBatches(pool, batches);
      const live = await allChecksums(pool);
      const { isSwapped, comparison } = await rebuild(url, memoryEventLog(history));
      t.strictSame(comparison?.differences, []);
      t.equal(isSwapped, true);
      t.strictSame(await allChecksums(pool), live);
      await fillReadModel(plain, history);
      t.strictSame(await allChecksums(plain), live);
    }),
    { seed, numRuns: process.env['FAULTS'] === 'long' ? 60 : 4 },
  );
});

test('a rebuild fills an empty read model without comparing', async (t) => {
  const { url, pool } = await testDatabase(t);
  const { comparison, events } = await rebuild(url, memoryEventLog(log));
  t.equal(comparison, undefined);
  t.equal(events, log.length);
  t.strictSame(await allChecksums(pool), await applied(t, log));
});

test('a live read model that stopped is compared where it stands, then overtaken', async (t) => {
  const { url, pool } = await testDatabase(t);
  await applyBatches(pool, [log.slice(0, 100)]);
  const { comparison, position } = await rebuild(url, memoryEventLog(log));
  t.strictSame(comparison?.rebuilt, comparison?.live);
  t.equal(position, end);
  t.strictSame(await allChecksums(pool), await applied(t, log));
});

const painted = (at: number): readonly LogEvent[] =>
  log.map((event, nth) => (nth === at ? { ...event, type: 'FlagPainted' } : event));

test('a rebuild parks the streams that the live read model parked', async (t) => {
  const { url, pool } = await testDatabase(t);
  const eventLog = memoryEventLog(painted(200));
  const live = liveProjection(t, pool, eventLog);
  await live.reaches(end);
  t.match(live.status(), {
    state: 'live',
    parked: [{ stream: log[200]?.stream, position: positionAt(200), error: /unknown/ }],
  });
  const before = await allChecksums(pool);
  const { comparison, isSwapped } = await rebuild(url, eventLog);
  t.strictSame(comparison?.differences, []);
  t.equal(isSwapped, true);
  t.strictSame(await allChecksums(pool), before);
});

test('what serves an event that the rebuilding version cannot apply is not replaced unasked', async (t) => {
  const { url, pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const before = await allChecksums(pool);
  const { comparison, isSwapped } = await rebuild(url, memoryEventLog(painted(50)));
  t.equal(isSwapped, false);
  t.match(
    comparison?.differences.filter(({ table }) => table === 'parked_stream'),
    [{ key: { stream: log[50]?.stream }, only: 'rebuilt' }],
  );
  t.strictSame(await allChecksums(pool), before);
  t.equal((await rebuild(url, memoryEventLog(log))).isSwapped, true);
  t.strictSame(await allChecksums(pool), before, 'what a failed rebuild left does not matter');
});

test('one rebuild at a time', async (t) => {
  const { url } = await testDatabase(t);
  await withRebuildDatabase(url, async () => {
    await t.rejects(rebuild(url, memoryEventLog(log)), RebuildRunning);
  });
});
