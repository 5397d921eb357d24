import {
  type AppendResult,
  jsonEvent,
  type JSONEventData,
  NO_STREAM as KURRENT_NO_STREAM,
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
} from '../../commands/event-store.js';
import { type Event } from '../../domain/decider.js';
import { sizeOf } from '../../domain/json.js';
import { type Metadata } from '../../domain/metadata.js';
import { toPosition } from '../../domain/position.js';
import { withDeadline } from '../deadline.js';
import { pause } from './connect.js';
import { type KurrentConnection } from './kurrent-connection.js';
import { revisionIn } from './kurrent-decode.js';
import { isNotReady } from './kurrent-client.js';
import { appendFault, readFault } from './kurrent-faults.js';
import { provenRefusal } from './proven-refusal.js';
import { readStreamPage } from './stream-pages.js';

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
        await pause(TRY_AGAIN_MS);
      }
    }
  },
});
