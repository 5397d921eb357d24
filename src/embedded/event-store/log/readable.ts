import { type LogReader } from '../storage/reader.js';
import {
  isTombstoned,
  lowestRevision,
  type StreamState,
  type StreamStates,
} from './stream-states.js';

/** Whether a read finds the stream: it has events and is neither soft-deleted nor tombstoned. */
export const isReadable = (states: StreamStates, state: StreamState): boolean =>
  state.last >= 0 && !state.metadata.isSoftDeleted && !isTombstoned(states, state);

/** Bisects for the first event younger than `$maxAge`: `created` never decreases along a stream. */
const firstSince = (
  reader: LogReader,
  { key, last }: StreamState,
  from: number,
  sinceMs: number,
): number => {
  let low = from;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((reader.placeAt(key, middle)?.createdMs ?? sinceMs) < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The lowest revision that `$maxCount`, `$tb` and `$maxAge` leave readable; `last + 1` when none. */
export const oldestRevision = (reader: LogReader, state: StreamState): number => {
  const { metadata, last } = state;
  if (metadata.isSoftDeleted) return last + 1;
  const lowest = Math.min(lowestRevision(last, metadata), last + 1);
  return metadata.maxAgeMs === undefined
    ? lowest
    : firstSince(reader, state, lowest, Date.now() - metadata.maxAgeMs);
};
