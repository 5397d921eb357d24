import { BACKWARDS, END, StreamNotFoundError } from '@eventstore/db-client';
import {
  AppendOutcomeUnknown,
  NO_STREAM,
  WrongRevision,
} from '../../commands/streams/event-store.js';
import { pause, withDeadline } from '../waiting.js';
import { unanswered } from './connect.js';
import { tieToLease } from './held-client.js';
import { type KurrentConnection } from './connection.js';
import { revisionIn } from './decode.js';

/** Between two looks at a store that does not show why it refused. */
const LOOK_AGAIN_MS = 50;

/** The revision of the last event that readers are shown. `name`: what the store calls the stream. */
export const shownRevision = async (
  connection: KurrentConnection,
  name: string,
): Promise<number> => {
  const lease = await connection.lease();
  const options = { direction: BACKWARDS, fromRevision: END, maxCount: 1 } as const;
  const reading = lease.client.readStream(name, options);
  reading.on('error', lease.failed);
  tieToLease(reading, lease);
  const last = async (): Promise<number> => {
    let revision = NO_STREAM;
    for await (const { event } of reading)
      if (event !== undefined) revision = revisionIn(event.revision);
    return revision;
  };
  try {
    return await withDeadline(last(), connection.timeoutMs, unanswered);
  } catch (error) {
    if (error instanceof StreamNotFoundError) return NO_STREAM;
    throw error;
  }
};

/**
 * A leader that lost its quorum refuses revisions because of what it wrote and does not show: perhaps what is asked
 * here, at an earlier attempt. So a refusal holds only when a read shows why.
 * @returns WrongRevision, or AppendOutcomeUnknown when that is not shown in time
 */
export const provenRefusal = async (
  connection: KurrentConnection,
  name: string,
  { expected, actual }: WrongRevision,
): Promise<Error> => {
  const limit = performance.now() + connection.timeoutMs;
  do {
    try {
      const shown = await shownRevision(connection, name);
      if (shown !== expected && shown >= actual) return new WrongRevision(expected, shown);
    } catch (cause) {
      return new AppendOutcomeUnknown('The event store refused a revision.', { cause });
    }
    await pause(LOOK_AGAIN_MS, { ref: false });
  } while (performance.now() < limit);
  return new AppendOutcomeUnknown('The event store refuses a revision and does not show why.');
};
