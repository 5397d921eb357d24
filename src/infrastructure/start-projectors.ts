import type { Redis } from 'ioredis';
import type pg from 'pg';
import { type CurrentStates } from '../projections/evaluation-snapshot.js';
import { type EventLog } from '../projections/event-log.js';
import { READ_MODEL } from '../projections/read-models.js';
import {
  type BatchObserver,
  type ProjectionLog,
  type ProjectionStatus,
  statusReporter,
  type StatusReporter,
} from '../projections/projection-status.js';
import { rowsConsumer, runProjection } from '../projections/run-projection.js';
import { type PersonalSnapshot } from './personal-data/revealed-snapshot.js';
import { databaseOn } from './postgres/postgres.js';
import { type Leading, whileLeading } from './postgres/leader.js';
import { type RedisLayout } from './redis/layout.js';
import { EVALUATION_SNAPSHOT, redisProjector, type RedisProjector } from './redis/projector.js';
import { redisSnapshot } from './redis/snapshot.js';
import { repeat } from './waiting.js';

/** How soon a flush or an empty restart of Redis is noticed while nothing else happens. */
const CHECK_MS = 1_000;

export type ProjectorOptions = Readonly<{
  eventLog: EventLog;
  /** For the rows: `createPool({ use: 'projector' })`. */
  pool: pg.Pool;
  /** For the lock that says who leads; the same database as the pool's. */
  databaseUrl: string;
  /** `createProjectorRedis(url)`. */
  redis: Redis;
  layout: RedisLayout;
  loadCurrentStates: () => Promise<CurrentStates>;
  personal: PersonalSnapshot;
  log: ProjectionLog;
  /** Called after every batch with events. */
  observe?: BatchObserver;
}>;

export type Projectors = Readonly<{
  /** One entry for each projection. */
  status: () => readonly ProjectionStatus[];
  /** Compares Redis with the states in memory. @returns differences in words; undefined while not leading */
  verifyRedis: () => Promise<readonly string[] | undefined>;
  /** Resolves when nothing is being written any more. Closes neither pool, Redis nor event log. */
  stop: () => Promise<void>;
}>;

const keepChecking = (
  projector: RedisProjector,
  report: StatusReporter,
  signal: AbortSignal,
): Promise<void> =>
  repeat(() => projector.check().then(report.reachable, report.unreachable), {
    everyMs: CHECK_MS,
    signal,
    first: 'after a pause',
  });

/** Follows the log into Postgres and Redis for as long as this process leads; stands by otherwise. */
export const startProjectors = (options: ProjectorOptions): Projectors => {
  const { eventLog, pool, databaseUrl, redis, layout, loadCurrentStates, log, observe } = options;
  const stopping = new AbortController();
  const consumer = rowsConsumer(databaseOn(pool), eventLog);
  let current: RedisProjector | undefined;
  const rows = statusReporter(READ_MODEL, log, { observe, parked: consumer.parked });
  const snapshot = statusReporter(EVALUATION_SNAPSHOT, log, {
    observe,
    parked: () => current?.consumer.parked() ?? [],
  });

  const lead = async ({ signal, confirm }: Leading): Promise<void> => {
    log.info({}, 'projector leads');
    const projector = redisProjector({
      redis: redisSnapshot(redis, layout),
      loadCurrentStates,
      eventLog,
      personal: options.personal,
      confirm,
    });
    current = projector;
    try {
      await Promise.all([
        runProjection({ consumer, eventLog, report: rows, signal }),
        runProjection({ consumer: projector.consumer, eventLog, report: snapshot, signal }),
        keepChecking(projector, snapshot, signal),
      ]);
    } finally {
      current = undefined;
      rows.standby();
      snapshot.standby();
    }
  };

  const running = whileLeading(
    {
      url: databaseUrl,
      signal: stopping.signal,
      onError: (error) => {
        rows.leaderless(error);
        snapshot.leaderless(error);
      },
      onStandby: () => {
        rows.standby();
        snapshot.standby();
      },
    },
    lead,
  );
  return {
    status: () => [rows.current(), snapshot.current()],
    verifyRedis: async () => current?.verify(),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
};
