import type pg from 'pg';
import { test } from 'tap';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { READ_MODELS } from '../../src/projections/read-models.js';
import {
  compareOrganization,
  compareReadModel,
} from '../../src/projections/verify/compare-read-model.js';
import { applyBatches } from '../support/applied-rows.js';
import { comparingWith } from '../support/compared-rows.js';
import { flagStream } from '../../src/domain/streams.js';
import { testDatabase } from '../support/database.js';
import {
  flagContent,
  onFlag,
  onSegment,
  recorded,
  segmentContent,
  skipping,
} from '../support/histories.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { shopLog } from '../support/shop-log.js';

const entryOf = ({ stream, type, data }: LogEvent) => ({ stream, event: { type, data } as never });

/** Every table has rows of it; one flag is parked, another goes on behind an event that is skipped. */
const log: readonly LogEvent[] = recorded([
  ...shopLog.map(entryOf),
  {
    stream: 'organization-acme',
    event: { type: 'OrganizationRegistered', data: { name: 'Acme' } },
  },
  onSegment('staff', { type: 'SegmentCreated', data: segmentContent('staff') }),
  onSegment('staff', {
    type: 'SegmentKeysChanged',
    data: { included: ['a'], excluded: [] },
  }),
  onFlag('odd', { type: 'FlagCreated', data: flagContent('odd') }),
  onFlag('odd', { type: 'FlagPainted', data: {} } as never),
  onFlag('odd', { type: 'FlagArchived', data: {} }),
  onFlag('mended', { type: 'FlagCreated', data: flagContent('mended') }),
  onFlag('mended', { type: 'FlagPainted', data: {} } as never),
  onFlag('mended', { type: 'FlagArchived', data: {} }),
  ...['mended', 'gone'].map((key) => skipping(flagStream('acme:shop', key), 1)),
]);
const ORGANIZATIONS = ['acme', 'rival', 'default'];

const TABLES = READ_MODELS.flatMap(({ tables }) => tables);

/** Another value of its SQL type, made of the one that is there. */
const OTHER: Readonly<Record<string, (column: string) => string>> = {
  text: (column) => `coalesce(${column}, '') || 'x'`,
  'text[]': (column) => `${column} || '{x}'`,
  bigint: (column) => `coalesce(${column}, 0) + 1000000`,
  timestamptz: (column) => `coalesce(${column}, now()) + interval '1 microsecond'`,
  uuid: () => `'00000000-0000-4000-8000-00000000ffff'`,
  bytea: () => `'\\x00'`,
  jsonb: (column) => `${column} || '{"tampered": true}'`,
  json: (column) => `(${column}::jsonb || '{"tampered": true}')::json`,
};

const sourcesOf = (pool: pg.Pool, events: readonly LogEvent[] = log) => ({
  database: databaseOn(pool),
  log: memoryEventLog(events),
});

/** Runs the statement in front of `work`, and takes back what it did. */
const withAltered = async <T>(
  pool: pg.Pool,
  table: string,
  statement: string,
  work: () => Promise<T>,
): Promise<T> => {
  await pool.query(`create table kept as table ${table}`);
  await pool.query(statement);
  try {
    return await work();
  } finally {
    await pool.query(`truncate ${table}`);
    await pool.query(`insert into ${table} table kept`);
    await pool.query('drop table kept');
  }
};

test('rows that are as the log says, of every table and organization, are compared and agree', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const { differences, rows, streams, events, parked, skipped } = await compareReadModel(
    sourcesOf(pool),
  )(ORGANIZATIONS);
  t.strictSame(differences, []);
  t.equal(events, log.length);
  t.equal(streams, new Set(log.map(({ stream }) => stream)).size);
  for (const { name } of TABLES) {
    const counted = await pool.query<{ n: number }>(`select count(*)::int as n from ${name}`);
    t.ok(counted.rows[0]!.n > 0, name);
    t.equal(rows[name], counted.rows[0]?.n, name);
  }
  t.match(parked, [{ stream: 'flag-acme:shop:odd', revision: 1, type: 'FlagPainted' }]);
  t.match(skipped, [
    { stream: 'flag-acme:shop:mended', revision: 1, type: 'FlagPainted', reason: 'not ours' },
  ]);
});

for (const { name, columns } of TABLES)
  test(`a row of ${name} that was altered in any column, removed or added is found`, async (t) => {
    const { pool } = await testDatabase(t);
    await applyBatches(pool, [log]);
    const all = compareReadModel(sourcesOf(pool));
    const found = async (statement: string) =>
      withAltered(pool, name, statement, async () => (await all(ORGANIZATIONS)).differences);
    const one = `ctid = (select max(ctid) from ${name})`;
    for (const [column, type] of Object.entries(columns)) {
      const differences = await found(
        `update ${name} set ${column} = ${OTHER[type]!(column)} where ${one}`,
      );
      t.ok(
        differences.some(
          (difference) => difference.table === name && (difference.column ?? column) === column,
        ),
        `${name}.${column}`,
      );
    }
    for (const place of ['min', 'max']) {
      const gone = await found(
        `delete from ${name} where ctid = (select ${place}(ctid) from ${name})`,
      );
      t.ok(
        gone.some(({ table, only }) => table === name && only === 'rebuilt'),
        `${place} removed`,
      );
    }
  });

test('a stream that somebody deleted for good is named, and nothing else', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const gone = 'flag-acme:shop:odd';
  const sources = sourcesOf(
    pool,
    log.filter(({ stream }) => stream !== gone),
  );
  const isDeleted = async (stream: string) => stream === gone;
  const compare = compareReadModel({ ...sources, log: { ...sources.log, isDeleted } });
  t.match(await compare(ORGANIZATIONS), { differences: [], deleted: [gone] });
});

test('an organization that was altered is found by those who ask for it', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  await pool.query(`update flag set name = 'TAMPERED' where project_id = 'rival:shop'`);
  const compare = compareOrganization(sourcesOf(pool));
  t.match((await compare('rival')).differences, [{ table: 'flag', column: 'name' }]);
  t.strictSame((await compare('acme')).differences, []);
  const streams = comparingWith(pool, log);
  t.match((await streams(['flag-rival:shop:secret'])).differences, [{ column: 'name' }]);
});

test('a stream that no table has any more, and one that the log never had, are found', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  const before = log.filter(({ stream }) => !stream.startsWith('segment-'));
  const more = await compareReadModel(sourcesOf(pool, before))(ORGANIZATIONS);
  t.ok(more.differences.some(({ table, only }) => table === 'segment' && only === 'live'));
  for (const table of ['segment', 'segment_revision']) await pool.query(`delete from ${table}`);
  await pool.query(`delete from audit_chain c using audit_event e
                     where e.position = c.position and e.category = 'segment'`);
  await pool.query(`delete from audit_event where category = 'segment'`);
  const less = await compareReadModel(sourcesOf(pool))(ORGANIZATIONS);
  t.match(less.differences[0], { table: 'audit_event', only: 'rebuilt' });
});

test('a flag that was put into a table by hand is found', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [log]);
  await pool.query(`insert into flag select project_id, 'ghost', name, description, type, status, tags,
                           revision, position, created_at, updated_at, state
                      from flag where key = 'quiet'`);
  const compare = compareOrganization(sourcesOf(pool));
  t.match((await compare('acme')).differences, [
    { table: 'flag', key: { project_id: 'acme:shop', key: 'ghost' }, only: 'live' },
  ]);
});
