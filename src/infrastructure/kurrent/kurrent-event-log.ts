import {
  type AllStreamSubscription,
  BACKWARDS,
  END,
  type EventStoreDBClient,
  FORWARDS,
  type ReadPosition,
  START,
  StreamNotFoundError,
  streamNameFilter,
} from '@eventstore/db-client';
import { CATEGORIES, parseStream } from '../../domain/streams.js';
import { type EventLog, type LogBatch, type LogEvent } from '../../projections/event-log.js';
import { type BatchQueue, batchQueue } from './batch-queue.js';
import { withDeadline } from '../deadline.js';
import { decodeRecorded, toSafeInteger } from './kurrent-decode.js';
import { batches, type LogEntry, pump } from './log-entries.js';

/** How many events make a batch at most: live, small, so that one transaction stays short. */
const LIVE_BATCH = { limit: 500, atLeast: 1 };
/** A read always ends, so it can wait for large batches; small ones would cost a write to Postgres each. */
const REPLAY_BATCH = { limit: 2_000, atLeast: 1_000 };

/** An answer is overdue: a server that accepts connections and says nothing. Later silence is for keep-alive. */
const ANSWER_MS = 5_000;

/** Checkpoints every 32 × this many events that are not ours. */
const CHECKPOINT_INTERVAL = 32;

const positionOf = (after: number | null): ReadPosition =>
  after === null ? START : { commit: BigInt(after), prepare: BigInt(after) };

const silent = (): Error => new Error('The event store does not answer.');

/** Lets a mark into the queue only behind all events that the subscription had read when it was made. */
const markInOrder = (
  subscription: AllStreamSubscription,
  queue: BatchQueue<LogEntry>,
  mark: LogEntry,
): void => {
  setImmediate(() => {
    if (subscription.readableLength === 0) queue.mark(mark);
    else markInOrder(subscription, queue, mark);
  });
};

const subscribeTo = (client: EventStoreDBClient, after: number | null) => {
  const queue = batchQueue<LogEntry>(LIVE_BATCH.limit);
  let isConfirmed = false;
  const subscription = client.subscribeToAll({
    fromPosition: positionOf(after),
    filter: streamNameFilter({
      prefixes: CATEGORIES.map((category) => `${category}-`),
      checkpointInterval: CHECKPOINT_INTERVAL,
      checkpointReached: (reader, { commit }) => {
        markInOrder(reader, queue, { position: toSafeInteger(commit) });
      },
    }),
  });
  const close = (error?: unknown): void => {
    clearTimeout(overdue);
    queue.end(error === undefined ? {} : { error });
    void subscription.unsubscribe().catch(() => undefined);
    subscription.destroy();
  };
  const overdue = setTimeout(() => {
    if (!isConfirmed) close(silent());
  }, ANSWER_MS);
  subscription.on('confirmation', () => {
    isConfirmed = true;
    clearTimeout(overdue);
  });
  subscription.on('caughtUp', () => {
    markInOrder(subscription, queue, 'caught-up');
  });
  // Without a listener of its own an error ends the process, whoever iterates.
  subscription.on('error', close);
  void pump(subscription, queue);
  return { queue, close };
};

async function* subscribe(
  client: EventStoreDBClient,
  after: number | null,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  if (signal.aborted) return;
  const { queue, close } = subscribeTo(client, after);
  const abort = (): void => {
    close();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    yield* batches(queue, after, LIVE_BATCH);
  } finally {
    signal.removeEventListener('abort', abort);
    close();
  }
}

async function* readForward(
  client: EventStoreDBClient,
  after: number | null,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  const queue = batchQueue<LogEntry>(REPLAY_BATCH.limit * 2);
  const reading = client.readAll({ direction: FORWARDS, fromPosition: positionOf(after) });
  // Reads begin at the position itself, and know no filter.
  const isWanted = ({ stream, position }: LogEvent): boolean =>
    position > (after ?? -1) && parseStream(stream) !== undefined;
  reading.on('error', (error) => {
    queue.end({ error });
  });
  const abort = (): void => {
    queue.end();
    void reading.cancel().catch(() => undefined);
    reading.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  void pump(reading, queue, isWanted);
  try {
    yield* batches(queue, after, REPLAY_BATCH);
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

async function* readStream(
  client: EventStoreDBClient,
  [stream, fromRevision]: readonly [string, number],
  signal: AbortSignal,
): AsyncGenerator<LogEvent> {
  const options = { direction: FORWARDS, fromRevision: BigInt(fromRevision) } as const;
  const reading = client.readStream(stream, options);
  const abort = (): void => {
    reading.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const { event } of reading) if (event !== undefined) yield decodeRecorded(event);
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

const headOf = async (client: EventStoreDBClient): Promise<number> => {
  const reading = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
  // For errors that come after the answer was given up.
  reading.on('error', () => undefined);
  const last = async (): Promise<number> => {
    for await (const { event, commitPosition } of reading)
      return toSafeInteger(event?.position.commit ?? commitPosition ?? -1n);
    return -1;
  };
  try {
    return await withDeadline(last(), ANSWER_MS, silent);
  } finally {
    reading.destroy();
  }
};

/**
 * The log over EventStoreDB's own protocol. A subscription ends with the first fault (the client never resumes one);
 * a server that goes silent is noticed by its missing confirmation, later by the client's keep-alive.
 */
export const kurrentEventLog = (client: EventStoreDBClient): EventLog => ({
  subscribe: (after, signal) => subscribe(client, after, signal),
  readForward: (after, signal) => readForward(client, after, signal),
  readStream: (stream, fromRevision, signal) => readStream(client, [stream, fromRevision], signal),
  head: () => headOf(client),
});
