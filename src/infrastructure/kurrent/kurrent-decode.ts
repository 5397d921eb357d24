import { type RecordedEvent } from '@eventstore/db-client';
import { type Event } from '../../domain/decider.js';
import { type Metadata } from '../../domain/metadata.js';
import { type Recorded } from '../../domain/recorded.js';

/**
 * Log positions and revisions as numbers.
 * @throws RangeError at 2^53 and above, which no log of ours reaches
 */
export const toSafeInteger = (value: bigint): number => {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} is above 2^53.`);
  return Number(value);
};

/** An event as the client gives it, in our terms. Its content is trusted, not checked. */
export const decodeRecorded = <E extends Event>(
  event: RecordedEvent,
  commitPosition?: bigint,
): Recorded<E> =>
  ({
    type: event.type,
    data: event.data,
    id: event.id,
    stream: event.streamId,
    revision: toSafeInteger(event.revision),
    position: toSafeInteger(event.position?.commit ?? commitPosition ?? -1n),
    recordedAt: event.created.toISOString(),
    metadata: event.metadata as Metadata,
  }) as Recorded<E>;
