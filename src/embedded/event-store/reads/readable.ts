import type { EventLog } from '../log/log.js';
import { lowestRevision } from '../log/stream-metadata.js';
import { isTombstoned, type StreamState } from '../log/stream-states.js';

/** Whether a read finds the stream: it has events and is neither soft-deleted nor tombstoned. */
export const isReadable = (log: EventLog, state: StreamState): boolean =>
  state.last >= 0 && !state.metadata.isSoftDeleted && !isTombstoned(log.states, state);

/** Bisects for the first event younger than `$maxAge`: `created` never decreases along a stream. */
const firstSince = (log: EventLog, state: StreamState, from: number, sinceMs: number): number => {
  let low = from;
  let high = state.last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((log.reader.placeAt(state.key, middle)?.createdMs ?? sinceMs) < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The lowest revision that `$maxCount`, `$tb` and `$maxAge` leave readable; `last + 1` when none. */
export const oldestRevision = (log: EventLog, state: StreamState): number => {
  const { metadata, last } = state;
  if (metadata.isSoftDeleted) return last + 1;
  const lowest = lowestRevision(last, metadata);
  return metadata.maxAgeMs === undefined
    ? lowest
    : firstSince(log, state, lowest, Date.now() - metadata.maxAgeMs);
};
