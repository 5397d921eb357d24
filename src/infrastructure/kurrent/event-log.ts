import {
  type AllStreamSubscription,
  FORWARDS,
  type RecordedEvent,
  StreamDeletedError,
  streamNameFilter,
  StreamNotFoundError,
} from '@eventstore/db-client';
import { type Position } from '../../domain/position.js';
import { type EventLog, type LogBatch, type LogEvent } from '../../projections/event-log.js';
import { type KurrentConnection } from './connection.js';
import { decodeRecorded, foreignKind, type ForeignKind, revisionIn } from './decode.js';
import { type ForeignObserver } from './foreign-events.js';
import { type Lease, tieToLease } from './held-client.js';
import { batches, type BatchQueue, batchQueue, type LogEntry, pump } from './log-entries.js';
import { ANSWER_MS, headOf, isDeleted, isOthersOnly, positionOf, silent } from './log-looks.js';

/** How many events make a batch at most: live, small, so that one transaction stays short. */
const LIVE_BATCH = { limit: 500, atLeast: 1 };
/** A read always ends, so it can wait for large batches; small ones would cost a write to Postgres each. */
const REPLAY_BATCH = { limit: 2_000, atLeast: 1_000 };

/** Checkpoints every 32 × this many events that are not ours. */
const CHECKPOINT_INTERVAL = 32;

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

/** One connection to a log, and who is told of events there that only look like ours. */
type Source = Readonly<{ connection: KurrentConnection; onForeign: ForeignObserver }>;

/** Tells of what is not ours, when it looks like it. */
const passBy = (
  { connection: { names }, onForeign }: Source,
  { streamId, type, position }: RecordedEvent,
  kind: ForeignKind,
): void => {
  if (names.isAlike(streamId))
    onForeign({ kind, stream: streamId, type, position: position?.commit ?? -1n });
};

/** Passes by what is not ours before anything of it is decoded. */
const entriesOf =
  (source: Source, isWanted: (event: RecordedEvent) => boolean = () => true) =>
  (event: RecordedEvent): LogEntry | undefined => {
    if (!isWanted(event)) return undefined;
    const stream = source.connection.names.ours(event.streamId);
    const kind = foreignKind(event, stream);
    if (stream !== undefined && kind === undefined) return { event: decodeRecorded(event, stream) };
    passBy(source, event, kind ?? 'stream');
    return undefined;
  };

const subscribeTo = (source: Source, lease: Lease, after: Position | null) => {
  const { client, signal } = lease;
  const queue = batchQueue<LogEntry>(LIVE_BATCH.limit);
  let isConfirmed = false;
  const subscription = client.subscribeToAll({
    fromPosition: positionOf(after),
    filter: streamNameFilter({
      prefixes: source.connection.names.beginnings,
      checkpointInterval: CHECKPOINT_INTERVAL,
      // Must not throw: the client does not catch it, and the process would end.
      checkpointReached: (reader, { commit }) => {
        markInOrder(reader, queue, { checkpoint: commit });
      },
    }),
  });
  const giveUp = (): void => {
    close(signal.reason);
  };
  const close = (error?: unknown): void => {
    signal.removeEventListener('abort', giveUp);
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
  subscription.on('error', (error) => {
    lease.failed(error);
    close(error);
  });
  signal.addEventListener('abort', giveUp, { once: true });
  void pump(subscription, queue, lease.heard, entriesOf(source));
  return { queue, close };
};

async function* subscribe(
  source: Source,
  after: Position | null,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  if (signal.aborted) return;
  const { queue, close } = subscribeTo(source, await source.connection.lease(), after);
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
  source: Source,
  after: Position | null,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  const queue = batchQueue<LogEntry>(REPLAY_BATCH.limit * 2);
  const lease = await source.connection.lease();
  const reading = lease.client.readAll({ direction: FORWARDS, fromPosition: positionOf(after) });
  // Reads begin at the position itself, and know no filter.
  const isAfter = ({ position }: RecordedEvent): boolean =>
    after === null || (position !== undefined && position.commit > BigInt(after));
  reading.on('error', (error) => {
    lease.failed(error);
    queue.end({ error });
  });
  tieToLease(reading, lease);
  const abort = (): void => {
    queue.end();
    void reading.cancel().catch(() => undefined);
    reading.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  void pump(reading, queue, lease.heard, entriesOf(source, isAfter));
  try {
    yield* batches(queue, after, REPLAY_BATCH);
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

/** Tells, event by event of a stream, where every revision that is left out was seen and is not ours. */
const followed = (fromRevision: number) => {
  let last = fromRevision - 1;
  let next = fromRevision;
  let isWhole = true;
  return (event: RecordedEvent, decoded: LogEvent | undefined): LogEvent | undefined => {
    const revision = revisionIn(event.revision);
    isWhole &&= revision === next;
    next = revision + 1;
    if (decoded === undefined) return undefined;
    const isAfterOthers = isWhole && revision > last + 1;
    const marked = isAfterOthers ? { ...decoded, follows: last } : decoded;
    [last, isWhole] = [revision, true];
    return marked;
  };
};

async function* readStream(
  connection: KurrentConnection,
  [stream, fromRevision]: readonly [string, number],
  signal: AbortSignal,
): AsyncGenerator<LogEvent> {
  const options = { direction: FORWARDS, fromRevision: BigInt(fromRevision) } as const;
  const lease = await connection.lease();
  const reading = lease.client.readStream(connection.names.inStore(stream), options);
  reading.on('error', lease.failed);
  tieToLease(reading, lease);
  const abort = (): void => {
    reading.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  const follow = followed(fromRevision);
  try {
    for await (const { event } of reading) {
      lease.heard();
      if (event === undefined) continue;
      const isOurs = foreignKind(event, stream) === undefined;
      const ours = follow(event, isOurs ? decodeRecorded(event, stream) : undefined);
      if (ours !== undefined) yield ours;
    }
  } catch (error) {
    if (!(error instanceof StreamNotFoundError || error instanceof StreamDeletedError)) throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

export type KurrentEventLog = EventLog &
  Readonly<{
    /** Whether the log goes as far as `upTo`, with nothing of ours behind `after` up to there. */
    isOthersOnly: (after: Position, upTo: Position) => Promise<boolean>;
  }>;

/**
 * The log over EventStoreDB's own protocol. A subscription ends with the first fault (the client never resumes one);
 * a server that goes silent is noticed by its missing confirmation, later by the connection's own questions.
 */
export const kurrentEventLog = (
  connection: KurrentConnection,
  { onForeign = () => undefined }: Readonly<{ onForeign?: ForeignObserver }> = {},
): KurrentEventLog => {
  const source = { connection, onForeign };
  return {
    subscribe: (after, signal) => subscribe(source, after, signal),
    readForward: (after, signal) => readForward(source, after, signal),
    readStream: (stream, fromRevision, signal) =>
      readStream(connection, [stream, fromRevision], signal),
    isDeleted: (stream) => isDeleted(connection, stream),
    head: () => headOf(connection),
    isOthersOnly: (after, upTo) => isOthersOnly(connection, after, upTo),
  };
};
