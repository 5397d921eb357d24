import { test, type Test } from 'tap';
import {
  RebuildRunning,
  withRebuildDatabase,
} from '../../src/infrastructure/postgres/postgres-rebuild.js';
import { type EventLog, type LogEvent } from '../../src/projections/event-log.js';
import { rebuildReadModel } from '../../src/projections/rebuild-projection.js';
import { type RebuildDatabase } from '../../src/projections/rebuild/rebuild-database.js';
import { testDatabase } from '../support/database.js';
import {
  type Entry,
  flagContent,
  onFlag,
  onProject,
  projectBegins,
  recorded,
} from '../support/histories.js';
import { liveProjection } from '../support/live-projection.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { allChecksums, applyBatches, checkpointOf } from '../support/applied-rows.js';

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
const positionAt = (nth: number): number => log[nth]!.position;
const end = log.at(-1)!.position;

const rebuild = (
  url: string,
  eventLog: EventLog,
  change: (database: RebuildDatabase) => Partial<RebuildDatabase> = () => ({}),
) =>
  withRebuildDatabase(url, (database) =>
    rebuildReadModel({
      database: { ...database, ...change(database) },
      eventLog,
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

  const report = await rebuild(url, eventLog, (database) => ({
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
  }));

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

test('a row that was altered shows in the comparison, and is repaired by the swap', async (t) => {
  const { url, pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const good = await allChecksums(pool);
  await pool.query(`update flag_revision set state = state || '{"salt": "x"}' where revision = 2`);
  const { comparison } = await rebuild(url, memoryEventLog(log));
  const different = comparison?.live.filter(({ sum }, nth) => sum !== comparison.rebuilt[nth]?.sum);
  t.match(different, [{ table: 'flag_revision' }]);
  t.strictSame(await allChecksums(pool), good);
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

test('a rebuild stops in front of the poison that stopped the live one, and says so', async (t) => {
  const { url, pool } = await testDatabase(t);
  const poisoned = log.map((event, nth) =>
    nth === 200 ? { ...event, type: 'FlagPainted' } : event,
  );
  const eventLog = memoryEventLog(poisoned);
  const live = liveProjection(t, pool, eventLog);
  await live.isIn('poisoned');
  t.match(live.status().poison, {
    projection: 'read_model',
    position: positionAt(200),
    stream: log[200]?.stream,
    revision: log[200]?.revision,
    type: 'FlagPainted',
    error: /unknown/,
  });
  const { comparison, poison } = await rebuild(url, eventLog);
  t.strictSame(comparison?.rebuilt, comparison?.live);
  t.equal(poison?.position, positionAt(200));
  t.equal((await checkpointOf(pool)).position, positionAt(199));
});

test('poison in what serves already makes a rebuild impossible, and leaves all as it was', async (t) => {
  const { url, pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const before = await allChecksums(pool);
  const poisoned = log.map((event, nth) =>
    nth === 50 ? { ...event, type: 'FlagPainted' } : event,
  );
  await t.rejects(rebuild(url, memoryEventLog(poisoned)), { name: 'RebuildImpossible' });
  t.strictSame(await allChecksums(pool), before);
  await rebuild(url, memoryEventLog(log));
  t.strictSame(await allChecksums(pool), before, 'what a failed rebuild left does not matter');
});

test('one rebuild at a time', async (t) => {
  const { url } = await testDatabase(t);
  await withRebuildDatabase(url, async () => {
    await t.rejects(rebuild(url, memoryEventLog(log)), RebuildRunning);
  });
});
