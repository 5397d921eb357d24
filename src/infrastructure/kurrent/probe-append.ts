import { jsonEvent, WrongExpectedVersionError } from '@eventstore/db-client';
import {
  AppendOutcomeUnknown,
  EventStoreUnavailable,
  NO_STREAM,
} from '../../commands/event-store.js';
import { withDeadline } from '../deadline.js';
import { type KurrentConnection } from './kurrent-connection.js';
import { revisionIn } from './kurrent-decode.js';
import { NO_DEADLINE } from './kurrent-event-store.js';
import { appendFault } from './kurrent-faults.js';

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
