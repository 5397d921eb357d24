import type pg from 'pg';
import { type Position } from '../../domain/position.js';
import { loadCheckpoint } from '../../projections/checkpoint.js';
import { READ_MODEL } from '../../projections/read-models.js';
import {
  type Comparison,
  type Lost,
  type LostEvent,
  type RebuildDatabase,
} from '../../projections/rebuild/rebuild-database.js';
import { migrate, READ_MODEL_MIGRATIONS } from './migrate.js';
import { comparison, copyInto, TABLES } from './postgres-bulk.js';
import {
  createPool,
  databaseOn,
  LOCKS,
  READ_MODEL_SCHEMA,
  transaction,
  transactionOn,
} from './postgres.js';
import { pause } from '../waiting.js';

const NEXT = 'read_model_next';
const OLD = 'read_model_old';

/** Shorter than Postgres's deadlock_timeout (1 s), and than a reader would notice. */
const LOCK_TIMEOUT_MS = 500;
const LOCK_ATTEMPTS = 100;
const LOCK_PAUSE_MS = 100;

/** lock_not_available, deadlock_detected */
const LOCKED_OUT: readonly unknown[] = ['55P03', '40P01'];

/** Keeps writers out of the serving read model (readers go on), and tells where it stands. */
const hold = async (client: pg.PoolClient): Promise<Position> => {
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query(`set local search_path = ${READ_MODEL_SCHEMA}`);
  await client.query('lock table checkpoint in share row exclusive mode');
  return (await loadCheckpoint(transactionOn(client), READ_MODEL)).position;
};

const isLockedOut = (error: unknown): boolean =>
  LOCKED_OUT.includes((error as { code?: unknown } | undefined)?.code);

/** Again and again while others hold a lock, with pauses in which they get on. */
const whenUnlocked = async (work: () => Promise<void>): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isLockedOut(error) || attempt === LOCK_ATTEMPTS) throw error;
      await pause(LOCK_PAUSE_MS);
    }
  }
};

const compare = async (
  pool: pg.Pool,
  align: (livePosition: Position) => Promise<void>,
): Promise<Comparison> => {
  const snapshot = await pool.connect();
  try {
    await whenUnlocked(() =>
      transaction(pool, async (client) => {
        await align(await hold(client));
        await snapshot.query('begin isolation level repeatable read, read only');
        // The snapshot is taken by the first statement, while both stand still.
        await snapshot.query('select 1');
      }),
    );
    const compared = await comparison(snapshot, { live: READ_MODEL_SCHEMA, rebuilt: NEXT });
    await snapshot.query('commit');
    return compared;
  } finally {
    snapshot.release(true);
  }
};

/**
 * Renames in the transaction that keeps writers out. The short exclusive lock waits for transactions that have read
 * from the old tables, so that none of them goes on in the new ones.
 */
const swap = (pool: pg.Pool, align: (livePosition: Position) => Promise<void>): Promise<void> =>
  whenUnlocked(() =>
    transaction(pool, async (client) => {
      await client.query('set local synchronous_commit = on');
      await align(await hold(client));
      await client.query(`lock table checkpoint, ${TABLES.join(', ')} in access exclusive mode`);
      await client.query(`alter schema ${READ_MODEL_SCHEMA} rename to ${OLD}`);
      await client.query(`alter schema ${NEXT} rename to ${READ_MODEL_SCHEMA}`);
    }),
  );

/** Events that are named of all that are lost. */
const LOST_SHOWN = 100;

const lostEvents = async (pool: pg.Pool): Promise<Lost> => {
  const { rows } = await pool.query<LostEvent & { total: number }>(
    `select e.stream, e.revision::float8 as revision, e.position, e.type, e.actor_id as actor,
            to_char(e.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
            count(*) over ()::int as total
       from ${READ_MODEL_SCHEMA}.audit_event e
      where not exists (select from ${NEXT}.audit_event n where n.event_id = e.event_id)
      order by e.position
      limit ${LOST_SHOWN}`,
  );
  return { total: rows[0]?.total ?? 0, events: rows.map(({ total: _, ...event }) => event) };
};

/** Keys of commands that the log does not have any more: who sends one again means it. */
const forgetLostCommands = async (pool: pg.Pool): Promise<void> => {
  await pool.query(
    `delete from chronoflag.command_key k
      where k.claimed_at >= (select min(e.recorded_at) - interval '1 minute'
                               from ${READ_MODEL_SCHEMA}.audit_event e
                              where not exists (select from ${NEXT}.audit_event n
                                                 where n.event_id = e.event_id))`,
  );
};

/** They are evidence of what was there once, so they are kept; new ones of the same counts may take their place. */
const setCheckpointsAside = async (pool: pg.Pool): Promise<number> => {
  const { rowCount } = await pool.query(
    `with void as (
       delete from chronoflag.audit_checkpoint c
        where not exists (select from ${NEXT}.audit_chain a
                           where a.organization_id = c.organization_id and a.sequence = c.count
                             and encode(a.hash, 'hex') = c.statement ->> 'head')
       returning c.*)
     insert into chronoflag.void_audit_checkpoint (organization_id, count, statement, signature)
     select v.organization_id, v.count, v.statement, v.signature from void v`,
  );
  return rowCount ?? 0;
};

const rebuildOn = (pool: pg.Pool, copying: Set<pg.PoolClient>): RebuildDatabase => {
  const drop = async (schema: string): Promise<void> => {
    await transaction(pool, async (client) => {
      await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await client.query(`drop schema if exists ${schema} cascade`);
    });
  };
  const next = { schema: NEXT, folder: READ_MODEL_MIGRATIONS };
  return {
    create: async () => {
      for (const schema of [NEXT, OLD]) await whenUnlocked(() => drop(schema));
      await migrate(pool, { ...next, isPostponed: (file) => file.endsWith('_indexes.sql') });
    },
    copy: (table) => copyInto(pool, copying, table),
    index: async () => {
      await migrate(pool, next);
      for (const table of TABLES) await pool.query(`analyze ${NEXT}.${table}`);
    },
    next: databaseOn(pool),
    livePosition: async () => {
      const { rows } = await pool.query<{ position: Position }>(
        `select c.position from ${READ_MODEL_SCHEMA}.checkpoint c where c.projection = $1`,
        [READ_MODEL],
      );
      return rows[0]?.position ?? -1;
    },
    compare: (align) => compare(pool, align),
    lost: () => lostEvents(pool),
    setLostAside: async () => {
      await forgetLostCommands(pool);
      return setCheckpointsAside(pool);
    },
    swap: (align) => swap(pool, align),
    discard: () => whenUnlocked(() => drop(NEXT)),
    dropOld: () => whenUnlocked(() => drop(OLD)).catch(() => undefined),
  };
};

/** Another rebuild is under way in this database. */
export class RebuildRunning extends Error {
  override readonly name = 'RebuildRunning';
}

/**
 * Runs `work` with the port to a second read model; nobody else can rebuild meanwhile.
 * @throws RebuildRunning
 */
export const withRebuildDatabase = async <T>(
  url: string,
  work: (database: RebuildDatabase) => Promise<T>,
): Promise<T> => {
  // Unflushed commits are safe here: the swap's own commit flushes all before it, and without it nothing counts.
  const pool = createPool({
    url,
    use: 'maintenance',
    // Each table's COPY holds one until the end, next to the guard and the work on the serving read model.
    max: TABLES.length + 4,
    schema: `${NEXT} -c synchronous_commit=off -c maintenance_work_mem=256MB`,
  });
  try {
    const guard = await pool.connect();
    const { rows } = await guard.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1) as locked',
      [LOCKS.rebuild],
    );
    if (rows[0]?.locked !== true) {
      guard.release(true);
      throw new RebuildRunning('Another rebuild is running.');
    }
    const copying = new Set<pg.PoolClient>();
    try {
      return await work(rebuildOn(pool, copying));
    } finally {
      // A COPY that was not ended would keep its connection, and the pool, for ever.
      for (const client of [guard, ...copying]) client.release(true);
    }
  } finally {
    await pool.end();
  }
};
