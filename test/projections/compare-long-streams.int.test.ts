import { test } from 'tap';
import { flagStream } from '../../src/domain/streams.js';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { type Database } from '../../src/projections/projection.js';
import { compareStreams } from '../../src/projections/verify/compare-streams.js';
import { applyBatches } from '../support/applied-rows.js';
import { testDatabase } from '../support/database.js';
import { flagContent, onFlag, recorded, skipping } from '../support/histories.js';
import { memoryEventLog } from '../support/memory-event-log.js';

const STREAM = flagStream('acme:shop', 'long');
const painted = { type: 'FlagPainted', data: {} } as never;

/** One flag that is archived and taken back again and again; other events at the revisions given. */
const flagOf = (length: number, odd: readonly number[]): readonly LogEvent[] =>
  recorded([
    onFlag('long', { type: 'FlagCreated', data: flagContent('long') }),
    ...Array.from({ length: length - 1 }, (_, nth) => {
      const type = nth % 2 === 0 ? 'FlagArchived' : 'FlagUnarchived';
      return onFlag('long', odd.includes(nth + 1) ? painted : { type, data: {} });
    }),
  ]);

/** The most events that the log gave, and rows that a statement gave, before the next statement. */
const watched = (database: Database, events: readonly LogEvent[]) => {
  const most = { events: 0, rows: 0 };
  let outstanding = 0;
  const log = memoryEventLog(events);
  const transaction: Database['transaction'] = (work) =>
    database.transaction((tx) =>
      work({
        query: async (...asked) => {
          outstanding = 0;
          const answer = await tx.query(...asked);
          most.rows = Math.max(most.rows, answer.rows.length);
          return answer;
        },
      }),
    );
  const readStream: typeof log.readStream = async function* (...asked) {
    for await (const event of log.readStream(...asked)) {
      outstanding += 1;
      most.events = Math.max(most.events, outstanding);
      yield event;
    }
  };
  return { most, sources: { database: { transaction }, log: { ...log, readStream } } };
};

test('a long stream is compared with a bounded number of its events and rows in hand', async (t) => {
  const { pool } = await testDatabase(t);
  const events = flagOf(3_000, []);
  await applyBatches(pool, [events]);
  await pool.query(
    `update flag_revision set state = state || '{"name": "TAMPERED"}' where revision = 1500`,
  );
  const { most, sources } = watched(databaseOn(pool), events);
  const compared = await compareStreams(sources)([STREAM]);
  t.match(compared, { streams: 1, events: 3_000 });
  t.match(compared.rows, { audit_event: 3_000, audit_chain: 3_000, flag_revision: 3_000, flag: 1 });
  t.match(compared.differences, [{ table: 'flag_revision', key: { revision: 1500 } }]);
  t.equal(compared.differences.length, 1);
  t.ok(most.events <= 501, `${most.events} events`);
  t.ok(most.rows <= 2_100, `${most.rows} rows`);
});

const ALTERED = [
  'select',
  ...['name', 'key'].map((column) => `update flag set ${column} = 'x'`),
  'delete from flag',
  `update flag set created_at = created_at - interval '1 s'`,
  ...[1, 4, 8].flatMap((revision) => [
    `update flag_revision set position_to = 99 where revision = ${revision}`,
    `update flag_revision set position_from = 0 where revision = ${revision}`,
    `delete from flag_revision where revision = ${revision}`,
    `update flag_revision set revision = 77 where revision = ${revision}`,
    `update audit_event set data = '{"x": 1}' where revision = ${revision}`,
    `update audit_event set revision = 77 where revision = ${revision}`,
    `delete from audit_event where revision = ${revision}`,
    `update audit_chain set hash = '\\x00' where sequence = ${revision}`,
    `delete from audit_chain where sequence = ${revision}`,
  ]),
  'update parked_stream set waiting = waiting + 1',
  'delete from parked_stream',
];

for (const [what, odd, skips] of [
  ['whole', [], []],
  ['behind events that are skipped', [2, 3, 4, 8], [2, 3, 4, 8]],
  ['parked', [5], []],
] as const)
  test(`slices give the answers that a stream in one piece gives: ${what}`, async (t) => {
    const { pool } = await testDatabase(t);
    const events = recorded([
      ...flagOf(9, odd).map(({ stream, type, data }) => ({
        stream,
        event: { type, data } as never,
      })),
      ...skips.map((revision) => skipping(STREAM, revision)),
    ]);
    await applyBatches(pool, [events]);
    const sources = { database: databaseOn(pool), log: memoryEventLog(events) };
    const streams = [...new Set(events.map(({ stream }) => stream))];
    for (const statement of ALTERED) {
      await pool.query('create schema kept');
      const tables = ['flag', 'flag_revision', 'audit_event', 'audit_chain', 'parked_stream'];
      for (const table of tables) await pool.query(`create table kept.${table} as table ${table}`);
      await pool.query(statement);
      for (const stream of streams) {
        const whole = await compareStreams(sources)([stream]);
        for (const size of [1, 3])
          t.strictSame(
            await compareStreams(sources, { events: size, bytes: 1e6 })([stream]),
            whole,
            `${statement}, ${stream} by ${size}`,
          );
      }
      for (const table of tables) {
        await pool.query(`truncate ${table}`);
        await pool.query(`insert into ${table} table kept.${table}`);
      }
      await pool.query('drop schema kept cascade');
    }
  });
