import { jsonEvent, WrongExpectedVersionError } from '@eventstore/db-client';
import {
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
  NO_STREAM,
} from '../../commands/streams/event-store.js';
import { withDeadline } from '../waiting.js';
import { type KurrentConnection } from './connection.js';
import { revisionIn } from './decode.js';
import { NO_DEADLINE } from './event-store.js';
import { appendFault } from './faults.js';
import { shownRevision } from './proven-refusal.js';

/** No stream comes so far: an append that expects it is refused by whoever would write it, after all other checks. */
const IMPOSSIBLE = BigInt(Number.MAX_SAFE_INTEGER);

/** Never written to, so it never comes to be. */
const PROBED = 'organization-probe';

const revisionOf = ({ actualVersion }: WrongExpectedVersionError): number =>
  typeof actualVersion === 'bigint' ? revisionIn(actualVersion) : NO_STREAM;

/** Whatever became of it: there is nothing of it that could have been written. */
const faultOf = (error: unknown): Error => {
  if (error instanceof EventStoreUnavailable) return error;
  const fault = appendFault(error, false);
  return fault instanceof AppendOutcomeUnknown
    ? new EventStoreUnavailable('The event store does not take appends.', { cause: fault.cause })
    : fault;
};

/**
 * Asks for an append that must be refused because of its revision: by a leader, to a user who may write. Writes nothing.
 * @returns the revision of the stream as the leader knows it
 * @throws EventStoreRefuses, EventStoreUnavailable when nothing would be written
 */
export const probeAppend = async (
  connection: KurrentConnection,
  stream = PROBED,
): Promise<number> => {
  const { client, heard, failed } = await connection.lease();
  const event = jsonEvent({ type: 'Probe', data: {} });
  const options = { expectedRevision: IMPOSSIBLE, deadline: NO_DEADLINE };
  const appending = client.appendToStream(connection.names.inStore(stream), [event], options);
  const silent = () => new EventStoreUnavailable('The event store does not answer an append.');
  try {
    await withDeadline(appending, connection.timeoutMs, silent);
  } catch (error) {
    if (!(error instanceof WrongExpectedVersionError)) {
      failed(error);
      throw faultOf(error);
    }
    heard();
    return revisionOf(error);
  }
  throw new Error('The event store took an append at a revision that there is not.');
};

/** An answer counts for so long. */
const FRESH_MS = 1_000;

/**
 * Whether commands can be written. A leader that lost its quorum still refuses revisions, so after an append whose
 * outcome is not known that is proven only when everything in its stream is shown to readers.
 */
export const writability = (connection: KurrentConnection) => {
  /** The last append whose outcome is not known. */
  let doubted: string | undefined;
  let asked: Readonly<{ atMs: number; answer: Promise<void> }> | undefined;

  const ask = async (): Promise<void> => {
    const stream = doubted;
    const written = await probeAppend(connection, stream);
    if (stream === undefined) return;
    const shown = await shownRevision(connection, connection.names.inStore(stream));
    if (shown !== written)
      throw new EventStoreUnavailable('The event store holds back what it has written.');
    if (doubted === stream) doubted = undefined;
  };

  return {
    /** @throws EventStoreRefuses, EventStoreUnavailable: why they cannot be */
    ask: (): Promise<void> => {
      const now = performance.now();
      if (asked === undefined || now - asked.atMs > FRESH_MS) asked = { atMs: now, answer: ask() };
      return asked.answer;
    },
    /** A store whose appends tell, too. */
    watched: (store: EventStore): EventStore => ({
      ...store,
      append: async (stream, events, options) => {
        try {
          const appended = await store.append(stream, events, options);
          doubted = undefined;
          return appended;
        } catch (error) {
          if (error instanceof AppendOutcomeUnknown) doubted = stream;
          // What was known is out of date.
          asked = undefined;
          throw error;
        }
      },
    }),
  };
};
