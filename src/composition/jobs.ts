import { type Logger } from 'pino';
import { type Config } from '../config.js';
import { deliverCheckpoints } from '../infrastructure/audit/deliver-checkpoints.js';
import { takeCheckpoint } from '../infrastructure/audit/take-checkpoint.js';
import { type KurrentConnection } from '../infrastructure/kurrent/connection.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { revealedSnapshot } from '../infrastructure/personal-data/revealed-snapshot.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { startCheckpointJob, startErasureJob } from '../jobs/repeating.js';
import { startVerificationJob } from '../jobs/verification.js';
import { auditedOrganizations, checkpointDelivery } from '../queries/trail/checkpoints.js';
import { auditKey, checkpointPlaces } from './audit-trail.js';
import { type StartedPersonalData } from './personal-data.js';
import { type Services } from './services.js';
import { verifyStores } from './verify-stores.js';

const VERIFY_EVERY_MS = 3_600_000;
const VERIFY_AGAIN_MS = 5_000;
/** How soon a checkpoint that is due is signed, and one that was signed is delivered. */
const CHECKPOINT_MS = 2_000;
/** How soon an erasure whose process ended, or had no event store, gets into the log. */
const RECORD_ERASURES_MS = 2_000;

type JobSources = Readonly<{
  connection: KurrentConnection;
  personal: StartedPersonalData;
  log: Logger;
}>;

/** Work that no request waits for, with connections of its own. */
export const startJobs = async (
  config: Config,
  { databaseUrl, redisUrl }: Services,
  { connection, personal, log }: JobSources,
) => {
  const onError = (error: Error): void => {
    log.warn({ err: error }, 'a database connection broke');
  };
  const pool = createPool({ url: databaseUrl, max: 2, onError });
  const key = await auditKey(config);
  const places = checkpointPlaces(config);
  const take = takeCheckpoint(pool, key, { now: () => new Date() });
  // Reads tables whole, which may take longer than a request's statements may.
  const whole = createPool({ url: databaseUrl, use: 'maintenance', max: 4, onError });
  const verify = verifyStores({
    ...{ pool: whole, redisUrl, prefix: config.redisPrefix },
    log: kurrentEventLog(connection),
    reveal: revealedSnapshot(personal),
  });
  const verification = startVerificationJob({
    redisUrl,
    prefix: config.redisPrefix,
    everyMs: VERIFY_EVERY_MS,
    againMs: VERIFY_AGAIN_MS,
    verify: () => verify(),
    log,
  });
  const checkpoints = startCheckpointJob({
    everyMs: CHECKPOINT_MS,
    organizations: auditedOrganizations(pool),
    take: (organizationId) => take(organizationId, config.auditCheckpointEvents),
    deliver: deliverCheckpoints(pool, places),
    log,
  });
  const erasures = startErasureJob({ everyMs: RECORD_ERASURES_MS, record: personal.record, log });
  return {
    verification: verification.status,
    /** What of the work with checkpoints fails at the moment. */
    checkpointFailures: checkpoints.failing,
    /** Checkpoints that have not been brought to a place that is configured, by place. */
    waitingCheckpoints: async (): Promise<Readonly<Record<string, number>>> => {
      const { file, webhook } = await checkpointDelivery(pool)();
      return {
        ...(places.file !== undefined && { file: file.waiting }),
        ...(places.webhook !== undefined && { webhook: webhook.waiting }),
      };
    },
    stop: async (): Promise<void> => {
      await erasures.stop();
      await checkpoints.stop();
      await verification.stop();
      await whole.end();
      await pool.end();
    },
  };
};

export type Jobs = Awaited<ReturnType<typeof startJobs>>;
