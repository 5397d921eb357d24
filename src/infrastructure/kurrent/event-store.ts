import {
  type AppendResult,
  FORWARDS,
  jsonEvent,
  type JSONEventData,
  NO_STREAM as KURRENT_NO_STREAM,
  type ResolvedEvent,
  StreamDeletedError,
  type StreamingRead,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import {
  type AppendOptions,
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
  type NewEvent,
  NO_STREAM,
  type StreamPage,
  wholeStream,
  WrongRevision,
} from '../../commands/streams/event-store.js';
import { type Event } from '../../domain/decider.js';
import { sizeOf } from '../../domain/json.js';
import { toPosition } from '../../domain/position.js';
import { type Metadata, type Recorded } from '../../domain/recorded.js';
import { pause, silenceWatch, withDeadline } from '../waiting.js';
import { isNotReady } from './client.js';
import { type KurrentConnection } from './connection.js';
import { decodeRecorded, foreignKind, revisionIn } from './decode.js';
import { appendFault, readFault } from './faults.js';
import { type Lease, tieToLease } from './held-client.js';
import { provenRefusal } from './proven-refusal.js';

/** Events of one page. */
const MOST_EVENTS = 1000;

/** Characters of JSON of one page, about; the event that reaches it is the last. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** A large event takes its time on a slow line; that the server answers is known by the one before. */
const NEXT_EVENT_MS = 5_000;

const stop = (reading: StreamingRead<ResolvedEvent>): void => {
  // What comes when nobody reads any more is no error.
  reading.on('error', () => undefined);
  void reading.cancel().catch(() => undefined);
  reading.destroy();
};

type Collected<E extends Event> = {
  events: Recorded<E>[];
  last: number | undefined;
  isFull: boolean;
};

/**
 * Takes events until the page is full, or there are no more. `last` is the revision of the last one; an event of
 * another application in a stream of ours has a revision, too, and is ignored.
 */
const collect = async <E extends Event>(
  reading: StreamingRead<ResolvedEvent>,
  stream: string,
  onEvent: () => void,
): Promise<Collected<E>> => {
  const events: Recorded<E>[] = [];
  let [size, count] = [0, 0];
  let last: number | undefined;
  try {
    for await (const { event } of reading) {
      onEvent();
      count += 1;
      if (event === undefined) continue;
      last = revisionIn(event.revision);
      if (foreignKind(event, stream) === undefined) events.push(decodeRecorded<E>(event, stream));
      size += sizeOf(event.data);
      if (size >= MOST_CHARACTERS) return { events, last, isFull: true };
    }
  } catch (error) {
    // Deleted in the store by somebody: there is nothing of it to read.
    if (!(error instanceof StreamNotFoundError || error instanceof StreamDeletedError)) throw error;
  }
  return { events, last, isFull: count >= MOST_EVENTS };
};

/** Which page: `stream` is what we call it, `name` what the store does. */
type Asked = Readonly<{ stream: string; name: string; fromRevision: number }>;

/**
 * The next events of a stream. However long it takes, it goes on while events arrive.
 * @throws what `toError` makes when none came within `silenceMs`, or none came after one
 */
const readStreamPage = async <E extends Event>(
  lease: Lease,
  { stream, name, fromRevision }: Asked,
  silenceMs: number,
  toError: () => Error,
): Promise<StreamPage<E>> => {
  const reading = lease.client.readStream(name, {
    direction: FORWARDS,
    fromRevision: BigInt(fromRevision),
    maxCount: MOST_EVENTS,
  });
  reading.on('error', lease.failed);
  tieToLease(reading, lease);
  const watch = silenceWatch(silenceMs, () => reading.destroy(toError()));
  try {
    const { events, last, isFull } = await collect<E>(reading, stream, () => {
      lease.heard();
      watch.heard(NEXT_EVENT_MS);
    });
    return { events, revision: last ?? fromRevision - 1, isEnd: !isFull };
  } finally {
    watch.stop();
    stop(reading);
  }
};

/** Between two tries with a node that has no leader. */
const TRY_AGAIN_MS = 50;

const revisionOf = (version: unknown): number =>
  typeof version === 'bigint' ? revisionIn(version) : NO_STREAM;

const toJsonEvent = <E extends Event>(
  { id, type, data }: NewEvent<E>,
  metadata: Metadata,
): JSONEventData =>
  jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: { ...metadata } });

const readPage = async <E extends Event>(
  connection: KurrentConnection,
  stream: string,
  fromRevision: number,
): Promise<StreamPage<E>> => {
  try {
    return await readStreamPage<E>(
      await connection.lease(),
      { stream, name: connection.names.inStore(stream), fromRevision },
      connection.timeoutMs,
      () => new EventStoreUnavailable('The event store does not answer.'),
    );
  } catch (error) {
    throw error instanceof EventStoreUnavailable ? error : readFault(error);
  }
};

/**
 * An append's deadline is sent as an instant of our clock and compared with the server's: where they differ by more than
 * it, every append would be late. The server has a limit of its own, and we wait no longer than ours.
 */
export const NO_DEADLINE = Infinity;

const MIB = 1024 * 1024;

/** A large append may take longer: the server takes in all of it, checks it and brings it to the disk. */
const appendTimeoutMs = (events: readonly Event[], timeoutMs: number): number =>
  timeoutMs + events.length + (sizeOf(events) / MIB) * timeoutMs * 3;

/** @throws what the client throws, and AppendOutcomeUnknown when it is silent */
const appendOnce = async (
  connection: KurrentConnection,
  [name, events]: readonly [name: string, events: readonly NewEvent<Event>[]],
  { expectedRevision, metadata }: AppendOptions,
): ReturnType<EventStore['append']> => {
  const { client, heard, failed } = await connection.lease();
  const appending: Promise<AppendResult> = client.appendToStream(
    name,
    events.map((event, nth) =>
      toJsonEvent(event, nth < events.length - 1 ? { ...metadata, isContinued: true } : metadata),
    ),
    {
      expectedRevision:
        expectedRevision === NO_STREAM ? KURRENT_NO_STREAM : BigInt(expectedRevision),
      deadline: NO_DEADLINE,
    },
  );
  try {
    const { nextExpectedRevision, position } = await withDeadline(
      appending,
      appendTimeoutMs(events, connection.timeoutMs),
      () => new AppendOutcomeUnknown('The event store did not confirm the append in time.'),
    );
    heard();
    return {
      revision: revisionIn(nextExpectedRevision),
      position: toPosition(position?.commit ?? -1),
    };
  } catch (error) {
    failed(error);
    throw error;
  }
};

const isTold = (error: unknown): error is Error =>
  error instanceof AppendOutcomeUnknown || error instanceof EventStoreUnavailable;

/**
 * The log, over EventStoreDB's own protocol. A call ends when the server is silent: after the connection's `timeoutMs`, or longer
 * after a large append.
 */
export const kurrentEventStore = (connection: KurrentConnection): EventStore => ({
  readPage: (stream, fromRevision) => readPage(connection, stream, fromRevision),

  read: <E extends Event>(stream: string, fromRevision?: number) =>
    wholeStream<E>({ readPage: (...page) => readPage(connection, ...page) }, stream, fromRevision),

  append: async (stream, events, options) => {
    const name = connection.names.inStore(stream);
    const limit = performance.now() + connection.timeoutMs;
    for (;;) {
      try {
        return await appendOnce(connection, [name, events], options);
      } catch (error) {
        if (error instanceof WrongExpectedVersionError) {
          const actual = revisionOf(error.actualVersion);
          const refused = new WrongRevision(options.expectedRevision, actual);
          throw await provenRefusal(connection, name, refused);
        }
        if (isTold(error)) throw error;
        // Refused before anything was done with it: there may be a leader in a moment.
        if (!isNotReady(error) || performance.now() > limit)
          throw appendFault(error, sizeOf(events) > MIB);
        await pause(TRY_AGAIN_MS, { ref: false });
      }
    }
  },
});
