import { Redis } from 'ioredis';
import { EventStoreRefuses, EventStoreUnavailable } from '../commands/streams/event-store.js';
import { pause, withDeadline } from './waiting.js';
import { HostUnusable } from './kurrent/connect.js';
import { type KurrentConnection } from './kurrent/connection.js';
import { kurrentEventLog } from './kurrent/event-log.js';
import { readFault } from './kurrent/faults.js';
import { probeAppend } from './kurrent/probe-append.js';
import { createPool } from './postgres/postgres.js';

/** A start waits so long for all of a service's answers together. */
const ANSWER_MS = 3_500;
const AGAIN_MS = 250;

/** What a process does with the event store. */
export type EventStoreUse = 'read' | 'write';

const silent = (): Error => new Error('it accepts connections and does not answer');

/** Errors of Node's sockets that say nothing by their message. */
const first = (error: unknown): unknown =>
  error instanceof AggregateError ? (error.errors[0] as unknown) : error;

/** Why something failed, in one line. */
export const reasonOf = (error: unknown): string => {
  const cause = first(error);
  if (!(cause instanceof Error)) return String(cause);
  const { code = cause.name } = cause as { code?: string };
  const text = cause.message === '' ? code : cause.message;
  const lines = text.split('\n').map((part) => part.trim());
  const line = lines.filter((part) => part !== '').join(' ');
  if (!(cause instanceof EventStoreUnavailable) || cause.cause === undefined) return line;
  // What a host said is said in full words.
  const why = reasonOf(cause.cause);
  return cause.cause instanceof HostUnusable ? why : `${line} (${why})`;
};

const askEventStore = async (connection: KurrentConnection, use: EventStoreUse): Promise<void> => {
  try {
    await kurrentEventLog(connection).head();
  } catch (error) {
    throw readFault(error);
  }
  if (use === 'write') await probeAppend(connection);
};

/**
 * Connects, logs in, reads and, when that is its use, is let write. A store that answers and cannot be used yet is asked
 * again for a while: it may be looking for its leader. All of it takes `ANSWER_MS` at most, whatever the store does.
 * @throws Error that says why not
 */
export const checkEventStore = async (
  connection: KurrentConnection,
  use: EventStoreUse,
): Promise<void> => {
  const over = new AbortController();
  let last: unknown;
  const asking = async (): Promise<void> => {
    await connection.greet(ANSWER_MS);
    while (!over.signal.aborted) {
      try {
        await askEventStore(connection, use);
        return;
      } catch (error) {
        if (error instanceof EventStoreRefuses) throw error;
        last = error;
        await pause(AGAIN_MS);
      }
    }
  };
  try {
    await withDeadline(asking(), ANSWER_MS, () => (last instanceof Error ? last : silent()));
  } finally {
    over.abort();
  }
};

/** @throws Error that says why it cannot be used */
export const checkPostgres = async (url: string): Promise<void> => {
  const pool = createPool({ url, max: 1 });
  try {
    await withDeadline(pool.query('select 1'), ANSWER_MS, silent);
  } finally {
    // A connection that is silent is not waited for.
    void pool.end().catch(() => undefined);
  }
};

/** @throws Error that says why it cannot be used */
export const checkRedis = async (url: string): Promise<void> => {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  const failed = new Promise<never>((_, reject) => {
    redis.once('error', reject);
  });
  redis.on('error', () => undefined);
  failed.catch(() => undefined);
  try {
    const asked = redis.connect().then(() => redis.ping());
    asked.catch(() => undefined);
    // What the server says of a login comes as an event, before the command fails for want of a connection.
    await withDeadline(Promise.race([failed, asked]), ANSWER_MS, silent);
  } finally {
    redis.disconnect();
  }
};
