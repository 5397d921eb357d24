import {
  type AppendResult,
  ErrorType,
  jsonEvent,
  type JSONEventData,
  MaxAppendSizeExceededError,
  NO_STREAM as KURRENT_NO_STREAM,
  StreamDeletedError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import {
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
  type NewEvent,
  NO_STREAM,
  type StreamPage,
  wholeStream,
  WrongRevision,
} from '../../commands/event-store.js';
import { DomainError, type Event } from '../../domain/decider.js';
import { type Metadata } from '../../domain/metadata.js';
import { withDeadline } from '../deadline.js';
import { type KurrentConnection } from './kurrent-connection.js';
import { toSafeInteger } from './kurrent-decode.js';
import { type StreamNames, streamNames } from './stream-names.js';
import { readStreamPage, sizeOf } from './stream-pages.js';

const GRPC_UNAVAILABLE = 14;

/** The client throws plain gRPC errors while a server is down, and its own classes at other times. */
const isUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const { code, type } = error as { code?: unknown; type?: unknown };
  return code === GRPC_UNAVAILABLE || type === ErrorType.UNAVAILABLE;
};

const TOO_LARGE =
  'What this command writes is more than the event store takes in one append (its setting MaxAppendSize).';

/** A refused connection wrote nothing; a connection that broke may have carried the append. */
const neverSent = (error: unknown): boolean =>
  isUnavailable(error) && /ECONNREFUSED|No connection established/.test(String(error));

const revisionOf = (version: unknown): number =>
  typeof version === 'bigint' ? toSafeInteger(version) : NO_STREAM;

const toAppendError = (error: unknown, expectedRevision: number): unknown => {
  if (error instanceof WrongExpectedVersionError) {
    return new WrongRevision(expectedRevision, revisionOf(error.actualVersion));
  }
  if (error instanceof MaxAppendSizeExceededError) {
    return new DomainError('command-too-large', TOO_LARGE);
  }
  if (error instanceof StreamDeletedError)
    return new DomainError(
      'stream-deleted',
      'Somebody deleted its history in the event store for good; nothing can be added to it.',
    );
  if (neverSent(error)) return new EventStoreUnavailable('The event store refuses connections.');
  return new AppendOutcomeUnknown('The event store did not confirm the append.', { cause: error });
};

const toJsonEvent = <E extends Event>(
  { id, type, data }: NewEvent<E>,
  metadata: Metadata,
): JSONEventData =>
  jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: { ...metadata } });

/** A connection, and what our streams are called there. */
type Log = Readonly<{ connection: KurrentConnection; names: StreamNames }>;

const readPage = async <E extends Event>(
  { connection, names }: Log,
  stream: string,
  fromRevision: number,
): Promise<StreamPage<E>> => {
  try {
    return await readStreamPage<E>(
      await connection.lease(),
      { stream, name: names.inStore(stream), fromRevision },
      connection.timeoutMs,
      () => new EventStoreUnavailable('The event store does not answer.'),
    );
  } catch (error) {
    throw isUnavailable(error)
      ? new EventStoreUnavailable('The event store cannot be reached.', { cause: error })
      : error;
  }
};

const MIB = 1024 * 1024;

/** A large append may take longer: the server takes in all of it, checks it and brings it to the disk. */
const appendTimeoutMs = (events: readonly Event[], timeoutMs: number): number =>
  timeoutMs + events.length + (sizeOf(events) / MIB) * timeoutMs * 3;

/**
 * The log, over EventStoreDB's own protocol. A call ends when the server is silent: after the connection's `timeoutMs`, or longer
 * after a large append.
 */
export const kurrentEventStore = (
  connection: KurrentConnection,
  names: StreamNames = streamNames(),
): EventStore => ({
  readPage: (stream, fromRevision) => readPage({ connection, names }, stream, fromRevision),

  read: <E extends Event>(stream: string, fromRevision?: number) =>
    wholeStream<E>(
      { readPage: (...page) => readPage({ connection, names }, ...page) },
      stream,
      fromRevision,
    ),

  append: async (stream, events, { expectedRevision, metadata }) => {
    const { client, heard, failed } = await connection.lease();
    const appending: Promise<AppendResult> = client.appendToStream(
      names.inStore(stream),
      events.map((event, nth) =>
        toJsonEvent(event, nth < events.length - 1 ? { ...metadata, isContinued: true } : metadata),
      ),
      {
        expectedRevision:
          expectedRevision === NO_STREAM ? KURRENT_NO_STREAM : BigInt(expectedRevision),
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
        revision: toSafeInteger(nextExpectedRevision),
        position: toSafeInteger(position?.commit ?? -1n),
      };
    } catch (error) {
      failed(error);
      throw error instanceof AppendOutcomeUnknown ? error : toAppendError(error, expectedRevision);
    }
  },
});
