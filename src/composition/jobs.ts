import { type EventStoreDBClient } from '@eventstore/db-client';
import { type Logger } from 'pino';
import { type Config } from '../config.js';
import { kurrentEventStore } from '../infrastructure/kurrent/kurrent-event-store.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { startVerificationJob } from '../jobs/verification.js';
import { verifyOrganization } from '../queries/log/verify-organization.js';
import { queriesOver } from '../queries/queries.js';
import { FIRST_ORGANIZATION } from './first-start.js';
import { type Services } from './services.js';

const VERIFY_EVERY_MS = 3_600_000;

/** Work that no request waits for, with connections of its own. */
export const startJobs = (
  config: Config,
  { databaseUrl, redisUrl }: Services,
  { client, log }: Readonly<{ client: EventStoreDBClient; log: Logger }>,
) => {
  const onError = (error: Error): void => {
    log.warn({ err: error }, 'a database connection broke');
  };
  const pool = createPool({ url: databaseUrl, max: 2, onError });
  const verify = verifyOrganization(queriesOver(pool, kurrentEventStore(client)));
  const verification = startVerificationJob({
    redisUrl,
    prefix: config.redisPrefix,
    everyMs: VERIFY_EVERY_MS,
    verify: () => verify(FIRST_ORGANIZATION),
    log,
  });
  return {
    verification: verification.status,
    stop: async (): Promise<void> => {
      await verification.stop();
      await pool.end();
    },
  };
};

export type Jobs = ReturnType<typeof startJobs>;
