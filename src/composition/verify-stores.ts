import { once } from 'node:events';
import type pg from 'pg';
import {
  type RedisCompared,
  type RowsCompared,
  type StoresVerification,
  type VerificationProgress,
} from '../domain/verification.js';
import { type SnapshotReveal } from '../infrastructure/personal-data/revealed-snapshot.js';
import { databaseOn } from '../infrastructure/postgres/postgres.js';
import { redisLayout } from '../infrastructure/redis/layout.js';
import {
  createProjectorRedis,
  type RedisSnapshot,
  redisSnapshot,
} from '../infrastructure/redis/snapshot.js';
import { evaluationSnapshot } from '../projections/evaluation-snapshot.js';
import { type EventLog } from '../projections/event-log.js';
import { compareOrganization, compareReadModel } from '../projections/verify/compare-read-model.js';
import { loadCurrentStates } from '../queries/evaluation/current-states.js';
import { auditedOrganizations } from '../queries/trail/checkpoints.js';
import { pause } from '../infrastructure/waiting.js';

/** `pool` without a limit for statements: tables are read whole. */
export type StoreSources = Readonly<{
  pool: pg.Pool;
  redisUrl: string;
  prefix: string;
  log: EventLog;
  reveal: SnapshotReveal;
}>;

const ATTEMPTS = 5;
const ATTEMPT_MS = 200;
const READY_MS = 1_000;
const SHOWN = 20;
const PAGE = 100;

/** False when it refuses, or says nothing for seconds. */
const isReady = (redis: ReturnType<typeof createProjectorRedis>): Promise<boolean> =>
  once(redis, 'ready', { signal: AbortSignal.timeout(READY_MS) }).then(
    () => true,
    () => false,
  );

/** Projects one after another, so that no more than one is held in memory. */
async function* projectsOf(
  pool: pg.Pool,
  organizationId: string | undefined,
): AsyncGenerator<string> {
  for (let after = ''; ;) {
    const { rows } = await pool.query<{ id: string }>(
      `select p.project_id as id
         from project p
        where p.project_id > $1
          and ($2::text is null or p.organization_id = $2)
        order by p.project_id
        limit ${PAGE}`,
      [after, organizationId ?? null],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows.map(({ id }) => id);
    after = last.id;
  }
}

/** They move one after the other, so what differs only for a moment does not count. */
const compareProject = async (
  { pool, reveal }: StoreSources,
  snapshot: RedisSnapshot,
  projectId: string,
): Promise<Readonly<{ environments: number; entries: number; found: readonly string[] }>> => {
  for (let attempt = 1; ; attempt += 1) {
    const { contents } = evaluationSnapshot(await loadCurrentStates(pool)(projectId));
    const wanted = await reveal.contents(contents());
    const found = await snapshot.differences(wanted, (id) => id.startsWith(`${projectId}:`));
    const entries = [...wanted.values()].reduce((sum, { size }) => sum + size, 0);
    if (found.length === 0 || attempt === ATTEMPTS)
      return { environments: wanted.size, entries, found };
    await pause(ATTEMPT_MS);
  }
};

/** Environments in Redis that are of no project. */
const ofNoProject = async (
  pool: pg.Pool,
  snapshot: RedisSnapshot,
  organizationId: string | undefined,
): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ id: string }>(
    `select w.id
       from unnest($1::text[]) as w (id)
      where not exists (select from project p
                         where p.project_id = split_part(w.id, ':', 1) || ':' || split_part(w.id, ':', 2))
        and ($2::text is null or split_part(w.id, ':', 1) = $2)
      limit ${SHOWN}`,
    [await snapshot.environments(), organizationId ?? null],
  );
  return rows.map(({ id }) => `${id} should not be there`);
};

const compareAll = async (
  sources: StoreSources,
  snapshot: RedisSnapshot,
  organizationId: string | undefined,
): Promise<RedisCompared> => {
  let [environments, entries] = [0, 0];
  const differences = [...(await ofNoProject(sources.pool, snapshot, organizationId))];
  for await (const projectId of projectsOf(sources.pool, organizationId)) {
    const compared = await compareProject(sources, snapshot, projectId);
    environments += compared.environments;
    entries += compared.entries;
    if (differences.length < SHOWN) differences.push(...compared.found);
  }
  return { environments, entries, differences: differences.slice(0, SHOWN) };
};

/** Compares Redis with the tables, project by project. */
const compareRedis = async (
  sources: StoreSources,
  organizationId: string | undefined,
): Promise<RedisCompared | null> => {
  const redis = createProjectorRedis(sources.redisUrl);
  try {
    if (!(await isReady(redis))) return null;
    const snapshot = redisSnapshot(redis, redisLayout(sources.prefix));
    // A connection that broke meanwhile compares nothing; the tables were compared all the same.
    return await compareAll(sources, snapshot, organizationId).catch((error: unknown) => {
      if (redis.status === 'ready') throw error;
      return null;
    });
  } finally {
    redis.disconnect();
  }
};

/**
 * Compares every table that is made from the log with a fold of the log, and Redis with the tables: of one organization,
 * or of all of them.
 */
export const verifyStores =
  (sources: StoreSources) =>
  async (
    organizationId?: string,
    signal?: AbortSignal,
    onProgress?: VerificationProgress,
  ): Promise<StoresVerification> => {
    const rows = { database: databaseOn(sources.pool), log: sources.log };
    const all = organizationId === undefined ? await auditedOrganizations(sources.pool)() : [];
    const readModel: RowsCompared =
      organizationId === undefined
        ? await compareReadModel(rows)(all)
        : await compareOrganization(rows)(organizationId, signal, onProgress);
    return {
      organizations: organizationId === undefined ? all.length : 1,
      readModel,
      redis: await compareRedis(sources, organizationId),
    };
  };
