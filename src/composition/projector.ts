import { type Logger } from 'pino';
import { type Config } from '../config.js';
import { foreignEvents } from '../infrastructure/kurrent/foreign-events.js';
import { type ForeignKind } from '../infrastructure/kurrent/decode.js';
import { type KurrentConnection } from '../infrastructure/kurrent/connection.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { redisLayout } from '../infrastructure/redis/layout.js';
import { createProjectorRedis, warnOfEviction } from '../infrastructure/redis/snapshot.js';
import { startProjectors } from '../infrastructure/start-projectors.js';
import { type BatchObserver } from '../projections/projection-status.js';
import { loadCurrentStates } from '../queries/evaluation/current-states.js';
import { revealedSnapshot } from '../infrastructure/personal-data/revealed-snapshot.js';
import { type StartedPersonalData } from './personal-data.js';
import { type Services } from './services.js';

/** Starts what writes the read model and the evaluation snapshot, with connections of its own. */
export const startProjector = (
  config: Config,
  { databaseUrl, redisUrl }: Services,
  {
    connection,
    personal,
    log,
    observe,
    countForeign,
  }: Readonly<{
    connection: KurrentConnection;
    personal: StartedPersonalData;
    log: Logger;
    observe: BatchObserver;
    countForeign: (kind: ForeignKind) => void;
  }>,
) => {
  const onError = (error: Error): void => {
    log.warn({ err: error }, 'a database connection broke');
  };
  const pool = createPool({ url: databaseUrl, use: 'projector', max: 4, onError });
  const redis = createProjectorRedis(redisUrl);
  warnOfEviction(redis, log);
  const projectors = startProjectors({
    eventLog: kurrentEventLog(connection, { onForeign: foreignEvents(log, countForeign) }),
    pool,
    databaseUrl,
    redis,
    layout: redisLayout(config.redisPrefix),
    loadCurrentStates: loadCurrentStates(pool),
    personal: { ...personal, ...revealedSnapshot(personal) },
    log,
    observe,
  });
  return {
    ...projectors,
    stop: async (): Promise<void> => {
      await projectors.stop();
      redis.disconnect();
      await pool.end();
    },
  };
};

export type Projector = ReturnType<typeof startProjector>;
