import * as fc from 'fast-check';
import { test } from 'tap';
import { CHAIN_START, linkAfter } from '../../src/domain/audit/chain.js';
import { type Position } from '../../src/domain/position.js';
import { parseStream } from '../../src/domain/streams.js';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { BEGINNING, moveCheckpoint } from '../../src/projections/checkpoint.js';
import { applyBatch } from '../../src/projections/apply-batch.js';
import { writeRows } from '../../src/projections/write-rows.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { foldEvents } from '../../src/projections/fold/fold.js';
import { linkSteps } from '../../src/projections/fold/link-steps.js';
import { trackedStreams } from '../../src/projections/fold/tracked-streams.js';
import { READ_MODEL } from '../../src/projections/read-models.js';
import { testDatabase } from '../support/database.js';
import {
  flagContent,
  logs,
  onFlag,
  onProject,
  projectBegins,
  recorded,
} from '../support/histories.js';
import {
  allChecksums,
  applyBatches,
  batchOf,
  checkpointOf,
  lastRowPosition,
} from '../support/applied-rows.js';
import { emptyReadModel } from '../support/read-model.js';
import { OTHER_ORGANIZATION, shopLog } from '../support/shop-log.js';
import { memoryEventLog } from '../support/memory-event-log.js';

const history = recorded([
  ...projectBegins,
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'production' } }),
  onProject({ type: 'ProjectDetailsChanged', data: { name: 'Store', description: 'all' } }),
  onFlag('alpha', {
    type: 'FlagPromoted',
    data: { from: 'development', to: 'production', configuration: flagContent('x').defaults },
  }),
  onFlag('alpha', { type: 'FlagDeleted', data: {} }),
]);
const nth = (index: number) => history[index]!;
const [created, enabled, renamed, promoted, deleted] = [nth(3), nth(4), nth(5), nth(6), nth(7)];

test('events become rows', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [history]);

  const flags = await pool.query(
    `select f.name, f.status, f.tags, f.revision, f.position, f.created_at, f.updated_at,
            f.state ->> 'statusBefore' as before from flag f`,
  );
  t.match(flags.rows, [
    { name: 'Flag alpha', status: 'deleted', tags: [], revision: '3', before: 'active' },
  ]);
  t.match(flags.rows, [
    {
      position: String(deleted.position),
      created_at: new Date(created.recordedAt),
      updated_at: new Date(deleted.recordedAt),
    },
  ]);

  const revisions = await pool.query(
    `select r.revision, r.position_from::int, r.position_to::int, r.recorded_to,
            r.state #>> '{environments,production,enabled}' as enabled
       from flag_revision r order by r.revision`,
  );
  t.match(revisions.rows, [
    { position_from: created.position, position_to: enabled.position, enabled: null },
    { position_from: enabled.position, position_to: promoted.position, enabled: 'true' },
    {
      position_from: promoted.position,
      position_to: deleted.position,
      recorded_to: new Date(deleted.recordedAt),
      enabled: 'false',
    },
    { position_from: deleted.position, position_to: null, recorded_to: null },
  ]);

  const projects = await pool.query(`select p.name, p.revision, p.state from project p`);
  t.match(projects.rows, [
    { name: 'Store', revision: '3', state: { environments: [{ key: 'development' }, {}] } },
  ]);

  const audit = await pool.query(
    `select a.position::int, a.category, a.organization_id, a.project_key, a.entity_key,
            a.environment, a.type, a.actor_id, a.data, a.metadata
       from audit_event a order by a.position`,
  );
  t.equal(audit.rows.length, history.length);
  t.match(audit.rows.at(-2), {
    category: 'flag',
    organization_id: 'acme',
    project_key: 'shop',
    entity_key: 'alpha',
    environment: 'production',
    type: 'FlagPromoted',
    data: promoted.data,
    metadata: promoted.metadata,
  });
  t.match(audit.rows.at(-3), { position: renamed.position, entity_key: null, environment: null });
});

test('every event adds a link to the chain of its organization, and to no other', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [shopLog.slice(0, 7), shopLog.slice(7)]);
  const { rows } = await pool.query<{ organization: string; position: Position; hash: string }>(
    `select c.organization_id as organization, c.position, encode(c.hash, 'hex') as hash
       from audit_chain c
      order by c.organization_id, c.sequence`,
  );
  const expected = ['acme', OTHER_ORGANIZATION].flatMap((organization) => {
    const own = shopLog.filter(
      ({ stream }) => parseStream(stream)?.organizationId === organization,
    );
    let link = CHAIN_START;
    return own.map((event) => {
      link = linkAfter(link, organization, event);
      return { organization, position: event.position, hash: link.hash };
    });
  });
  t.equal(rows.length, shopLog.length);
  t.strictSame(rows, expected);
});

test('a link attests the time of the store, not the one made monotone', async (t) => {
  const stepsBack = { ...history.at(-1)!, recordedAt: '2001-01-01T00:00:00.000Z' };
  const folded = foldEvents([...history.slice(0, -1), stepsBack], () => undefined, null);
  const [before, last] = linkSteps(folded.steps, () => undefined).slice(-2);
  t.strictSame(last!.link, linkAfter(before!.link, 'acme', stepsBack));
});

test('the same rows again change nothing', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [history]);
  const once = await allChecksums(pool);
  const folded = foldEvents(history, () => undefined, null);
  const steps = linkSteps(folded.steps, () => undefined);
  await databaseOn(pool).transaction((tx) => writeRows(tx, steps));
  await databaseOn(pool).transaction((tx) => writeRows(tx, steps.slice(0, 4)));
  t.strictSame(await allChecksums(pool), once);
});

test('the boundaries of batches do not matter', async (t) => {
  const { pool } = await testDatabase(t);
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_121);
  t.comment(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(logs(30), fc.array(fc.nat(40), { maxLength: 6 }), async (log, cuts) => {
      await emptyReadModel(pool);
      await applyBatches(pool, [log]);
      const whole = await allChecksums(pool);
      await emptyReadModel(pool);
      const edges = [0, ...cuts.toSorted((a, b) => a - b), log.length];
      const batches = edges.slice(1).map((edge, nth) => log.slice(edges[nth], edge));
      const { checkpoint } = await applyBatches(pool, batches);
      const cut = await allChecksums(pool);
      return (
        JSON.stringify(cut) === JSON.stringify(whole) &&
        checkpoint.position === log.at(-1)?.position
      );
    }),
    { seed, numRuns: 40 },
  );
  t.pass('rows are equal');
});

test('what was delivered before is ignored', async (t) => {
  const { pool } = await testDatabase(t);
  await applyBatches(pool, [history]);
  const once = await allChecksums(pool);
  const doubled = history.flatMap((event) => [event, event]);
  await emptyReadModel(pool);
  const { poison } = await applyBatches(pool, [doubled.slice(0, 7), doubled, history.slice(2)]);
  t.equal(poison, undefined);
  t.strictSame(await allChecksums(pool), once);
});

test('a batch out of order is refused whole', async (t) => {
  const { pool } = await testDatabase(t);
  const swapped = [history[1], history[0], ...history.slice(2)] as LogEvent[];
  await t.rejects(applyBatches(pool, [swapped]), { name: 'OutOfOrder' });
  t.equal(await lastRowPosition(pool), -1);
  t.equal((await checkpointOf(pool)).position, -1);
});

test('an event that comes after its time stops the projection', async (t) => {
  const { pool } = await testDatabase(t);
  const late = recorded([
    ...projectBegins,
    { stream: 'organization-acme', event: { type: 'OrganizationRegistered', data: { name: 'A' } } },
    onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  ]);
  const { poison } = await applyBatches(pool, [late.filter((_, nth) => nth !== 3), [late[3]!]]);
  t.match(poison?.message, /delivered position 130 after 140/);
});

test('an event that Postgres cannot even be told of is poison; all in front of it is applied', async (t) => {
  const { pool } = await testDatabase(t);
  const refused = history.map((event, nth) => (nth === 5 ? { ...event, id: 'no-uuid' } : event));
  const { poison, checkpoint, events } = await applyBatches(pool, [refused]);
  t.match(poison?.message, /uuid.*22P02/);
  t.equal(poison?.event.position, history[5]?.position);
  t.equal(events, 5);
  t.equal(checkpoint.position, history[4]?.position);
  t.same(await checkpointOf(pool), checkpoint);
  t.equal(await lastRowPosition(pool), checkpoint.position);
});

test('a stale leader cannot write', async (t) => {
  const { pool } = await testDatabase(t);
  const database = databaseOn(pool);
  const stale = await applyBatch(
    database,
    trackedStreams(memoryEventLog()),
    BEGINNING,
    batchOf(history.slice(0, 3)),
  );
  await applyBatches(pool, [history.slice(3)], stale.checkpoint);
  const before = await allChecksums(pool);
  await t.rejects(
    applyBatch(
      database,
      trackedStreams(memoryEventLog()),
      stale.checkpoint,
      batchOf(history.slice(3, 5)),
    ),
    { name: 'CheckpointMoved' },
  );
  await t.rejects(
    applyBatch(database, trackedStreams(memoryEventLog()), BEGINNING, batchOf(history)),
    {
      name: 'CheckpointMoved',
    },
  );
  t.strictSame(await allChecksums(pool), before);
});

test('wherever a transaction ends, the checkpoint is the last position applied', async (t) => {
  const { pool } = await testDatabase(t);
  const database = databaseOn(pool);
  for (let statements = 1; statements < 12; statements++) {
    let left = statements;
    const failing: typeof database = {
      transaction: (work) =>
        database.transaction((tx) =>
          work({
            query: async (text, values) => {
              if (left-- === 0) throw new Error('killed');
              return tx.query(text, values);
            },
          }),
        ),
    };
    await applyBatch(
      failing,
      trackedStreams(memoryEventLog()),
      await checkpointOf(pool),
      batchOf(history),
    ).catch(() => undefined);
    t.equal((await checkpointOf(pool)).position, await lastRowPosition(pool));
  }
});

test('a checkpoint that is committed before the rows would be seen', async (t) => {
  const { pool } = await testDatabase(t);
  const database = databaseOn(pool);
  const folded = foldEvents(history, () => undefined, null);
  const steps = linkSteps(folded.steps, () => undefined);
  const to = { position: 999, recordedAt: null, applied: -1 };
  await database.transaction((tx) => moveCheckpoint(tx, READ_MODEL, BEGINNING, to));
  await t.rejects(
    database.transaction(async (tx) => {
      await writeRows(tx, steps);
      throw new Error('killed');
    }),
  );
  t.not((await checkpointOf(pool)).position, await lastRowPosition(pool));
});
