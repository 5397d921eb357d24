import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { type AuditTrail } from '../api/routes/audit-trail.js';
import { type Config } from '../config.js';
import {
  type AuditKey,
  loadSigningKey,
  type SigningKeyFile,
} from '../infrastructure/audit/signing-key.js';
import { takeCheckpoint } from '../infrastructure/audit/take-checkpoint.js';
import { type SnapshotReveal } from '../infrastructure/personal-data/revealed-snapshot.js';
import { type CheckpointPlaces } from '../infrastructure/audit/deliver-checkpoints.js';
import { redisLayout } from '../infrastructure/redis/redis-layout.js';
import { createProjectorRedis, redisSnapshot } from '../infrastructure/redis/redis-snapshot.js';
import { type EventLog } from '../projections/event-log.js';
import { evaluationSnapshot } from '../projections/evaluation-snapshot.js';
import { loadCurrentStates } from '../queries/load-current-states.js';
import { verifyOrganization } from '../queries/log/verify-organization.js';
import { type Queries } from '../queries/queries.js';
import {
  checkpointDelivery,
  latestCheckpoint,
  listCheckpoints,
} from '../queries/trail/checkpoints.js';
import { proveEvent } from '../queries/trail/prove-event.js';
import { verifyTrail } from '../queries/trail/verify-trail.js';

/** The key in its configured file; else in the data directory, where it is made when there is none. */
export const auditKeyFile = ({ auditSigningKey, dataDirectory }: Config): SigningKeyFile =>
  auditSigningKey === undefined
    ? { file: join(dataDirectory, 'audit-signing-key.pem'), mayGenerate: true }
    : { file: auditSigningKey, mayGenerate: false };

export const auditKey = (config: Config): Promise<AuditKey> => loadSigningKey(auditKeyFile(config));

const ATTEMPTS = 5;
const ATTEMPT_MS = 200;

const READY_MS = 1_000;

const isAway = (): null => null;

/** False when it refuses, or says nothing for seconds. */
const isReady = (redis: ReturnType<typeof createProjectorRedis>): Promise<boolean> =>
  once(redis, 'ready', { signal: AbortSignal.timeout(READY_MS) }).then(
    () => true,
    () => false,
  );

/**
 * Compares Redis with the read model. They move one after the other, so what differs only for a moment does not count.
 * @returns what differs in an organization, in words; null while Redis cannot be asked
 */
const redisDifferences = async (
  { redisUrl, prefix, pool, reveal }: AuditTrailSources,
  organizationId: string,
): Promise<readonly string[] | null> => {
  const redis = createProjectorRedis(redisUrl);
  try {
    if (!(await isReady(redis))) return null;
    const snapshot = redisSnapshot(redis, redisLayout(prefix));
    for (let attempt = 1; ; attempt += 1) {
      const { contents } = evaluationSnapshot(await loadCurrentStates(pool)());
      const found = await snapshot.differences(await reveal.contents(contents())).catch(isAway);
      if (found === null) return null;
      const own = found.filter((difference) => difference.startsWith(`${organizationId}:`));
      if (own.length === 0 || attempt === ATTEMPTS) return own;
      await delay(ATTEMPT_MS);
    }
  } finally {
    redis.disconnect();
  }
};

export const checkpointPlaces = (config: Config): CheckpointPlaces => ({
  file: config.auditCheckpointFile,
  webhook: config.auditCheckpointWebhook,
});

export type AuditTrailSources = Readonly<{
  pool: pg.Pool;
  redisUrl: string;
  prefix: string;
  log: EventLog;
  queries: Queries;
  reveal: SnapshotReveal;
  key: AuditKey;
  places: CheckpointPlaces;
}>;

/** Everything that proves the audit trail, over one installation's stores. */
export const auditTrail = (sources: AuditTrailSources): AuditTrail => {
  const { pool, log, queries, key } = sources;
  const deps = { db: pool, log, key };
  const verify = verifyTrail(deps);
  const verifyReadModel = verifyOrganization(queries);
  return {
    verify: async (asked) => ({
      ...(await verify(asked)),
      stores: {
        readModel: await verifyReadModel(asked.organizationId),
        redis: await redisDifferences(sources, asked.organizationId),
      },
    }),
    prove: proveEvent(deps),
    take: takeCheckpoint(pool, key, { now: () => new Date() }),
    list: listCheckpoints(pool),
    delivery: async (organizationId) => {
      const { file, webhook } = await checkpointDelivery(pool)(organizationId);
      return {
        file: sources.places.file === undefined ? null : file,
        webhook: sources.places.webhook === undefined ? null : webhook,
      };
    },
    latest: latestCheckpoint(pool),
    key,
  };
};
