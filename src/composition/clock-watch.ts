import { type Readiness } from '../api/health.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { CLOCK_TOLERANCE_MS, readPosition } from '../queries/moments.js';
import { type ServiceEvents } from './service-events.js';
import { repeat } from '../infrastructure/waiting.js';

const WATCH_MS = 5_000;

type Watched = Readonly<{
  databaseUrl: string;
  events: Pick<ServiceEvents, 'clockJumped'>;
  log: Readonly<{ warn: (details: object, message: string) => void }>;
  signal: AbortSignal;
}>;

const latestTime = async (databaseUrl: string): Promise<string | null> => {
  const pool = createPool({ url: databaseUrl, max: 1 });
  try {
    return (await readPosition(pool)()).recordedAt;
  } finally {
    await pool.end();
  }
};

/**
 * Looks again and again how far the latest time in the log is ahead of this process's clock: times of the log never go
 * back, so a clock that had jumped ahead leaves them there until the others have caught up.
 */
export const watchClock = ({ databaseUrl, events, log, signal }: Watched) => {
  let aheadMs = 0;
  let reported: string | undefined;

  const look = async (): Promise<void> => {
    const recordedAt = await latestTime(databaseUrl);
    const now = Date.now();
    aheadMs = recordedAt === null ? 0 : Math.max(0, Date.parse(recordedAt) - now);
    if (recordedAt === null || aheadMs <= CLOCK_TOLERANCE_MS || recordedAt === reported) return;
    await events.clockJumped(recordedAt, new Date(now).toISOString());
    reported = recordedAt;
    log.warn({ recordedAt, aheadMs }, 'events are recorded with times that have not come yet');
  };

  void repeat(look, { everyMs: WATCH_MS, signal });

  return {
    /** Milliseconds; 0 when it is not ahead. */
    aheadMs: (): number => aheadMs,
    /** A part of /ready. Everything works meanwhile; only times are not what they seem. */
    readiness: (): Readiness => ({
      name: 'clock',
      isReady: true,
      isDegraded: aheadMs > CLOCK_TOLERANCE_MS,
      details: { recordedAheadMs: aheadMs },
    }),
  };
};

export type ClockWatch = ReturnType<typeof watchClock>;
