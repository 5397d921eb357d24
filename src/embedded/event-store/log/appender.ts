import { type CommitQueue } from '../storage/commit-queue.js';
import { type LogReader } from '../storage/reader.js';
import { type Refusal } from '../wire/errors.js';
import { decodeFrame, type ProposedEvent } from '../wire/frame.js';
import { type Written } from '../wire/replies.js';
import { type Expected } from '../wire/requests.js';
import { decideAppend, type Place, type StreamFacts } from './expected-revision.js';
import { oldestRevision } from './readable.js';
import {
  isMetastream,
  isTombstoned,
  metastreamOf,
  originalOf,
  reviveMetadata,
  SOFT_DELETE_DATA,
  type StreamState,
  type StreamStates,
} from './stream-states.js';
import { idHex, type LogWriter, type RecentIds, systemEvent } from './writer.js';

/** The writes of the log. Each promise resolves when what it answers is durable. */
export type Appender = Readonly<{
  append: (
    stream: string,
    expected: Expected,
    events: readonly ProposedEvent[],
  ) => Promise<Written | Refusal>;
  /** Hides the stream's events; the next append revives the stream behind them. */
  softDelete: (stream: string, expected: Expected) => Promise<Written | Refusal>;
  /** Closes the stream for ever. */
  tombstone: (stream: string, expected: Expected) => Promise<Written | Refusal>;
}>;

type Parts = Readonly<{
  queue: CommitQueue;
  states: StreamStates;
  recentIds: RecentIds;
  writer: LogWriter;
  reader: LogReader;
}>;

const FRESH_ID = ['']; // no stored event has this id, so a delete is never taken for a repeat

const REORDERED: Refusal = {
  kind: 'bad-request',
  message: 'These events are stored already, in another order.',
};

/** On a real server a repeat of what is not committed yet gets no answer in time. */
const IN_FLIGHT: Refusal = { kind: 'timeout' };

/** A real server writes a record for an append of no events; here a byte inside the last event stands for it. */
const BEFORE_END = 2;

type Events = readonly ProposedEvent[];

const hasEvents = (events: Events): events is readonly [ProposedEvent, ...ProposedEvent[]] =>
  events.length > 0;

/** Decides and queues writes one after the other, each seeing all earlier ones. */
export const appender = ({ queue, states, recentIds, writer, reader }: Parts): Appender => {
  const storedAt = (stream: number, revision: number) => {
    const pending = queue.pendingAt(stream, revision);
    return pending
      ? { id: pending.id.toString('hex'), revision, position: pending.position }
      : reader.placeAt(stream, revision);
  };

  const factsOf = (state: StreamState): StreamFacts => ({
    last: state.last,
    isTombstoned: isTombstoned(states, state),
    isSoftDeleted: state.metadata.isSoftDeleted,
    hasMetadata: states.get(metastreamOf(state.name)).last >= 0,
    recentPlaceOf: (id) => recentIds.placeOf(state.key, id),
    storedAt: (revision) => storedAt(state.key, revision),
  });

  const writeMetadata = (stream: string, data: Buffer): Place =>
    writer.write(states.get(metastreamOf(stream)), [systemEvent('$metadata', data, true)]);

  const writeNothing = ({ last }: StreamState): Place => ({
    revision: last,
    position: writer.end() - BEFORE_END,
  });

  const write = (state: StreamState, events: Events): Place =>
    hasEvents(events) ? writer.write(state, events) : writeNothing(state);

  /** The stream can be read again, from its next event on. Data that is no object stays as it was written. */
  const revive = (stream: string, metadata: Uint8Array, truncateBefore: number): void => {
    const revived = reviveMetadata(metadata, truncateBefore);
    if (revived) writeMetadata(stream, revived);
  };

  const currentMetadata = (stream: string): Buffer => {
    const metastream = metastreamOf(stream);
    if (states.isTouched(metastream)) queue.flush();
    const { key, last } = states.get(metastream);
    const place = reader.placeAt(key, last);
    return place ? decodeFrame(place.frame).data : SOFT_DELETE_DATA;
  };

  const writeEvents = (state: StreamState, events: Events): Place => {
    if (!state.metadata.isSoftDeleted) return write(state, events);
    const metadata = currentMetadata(state.name);
    const truncateBefore = state.last + 1;
    const place = write(state, events);
    revive(state.name, metadata, truncateBefore);
    return place;
  };

  /** Writing to the metadata stream of a soft-deleted stream revives the stream, still empty. */
  const writeMetastream = (state: StreamState, events: Events): Place => {
    const target = states.get(originalOf(state.name));
    if (!target.metadata.isSoftDeleted) return write(state, events);
    const metadata = events.at(-1)?.data ?? currentMetadata(target.name);
    const place = write(state, events);
    revive(target.name, metadata, target.last + 1);
    return place;
  };

  /** As on a real server, the position of events that are hidden now is not told. */
  const repeated = (state: StreamState, { revision, position }: Place): Written | Refusal => {
    if (position > reader.head()) return IN_FLIGHT;
    const isHidden = revision < oldestRevision(reader, state);
    return { kind: 'written', revision, position: isHidden ? undefined : position };
  };

  const decide = (
    state: StreamState,
    expected: Expected,
    ids: readonly string[],
    write: () => Place,
  ): Written | Refusal => {
    const decision = decideAppend(expected, ids, factsOf(state));
    switch (decision.kind) {
      case 'stream-deleted':
        return decision;
      case 'wrong-revision':
        return { kind: 'wrong-revision', expected, current: state.last };
      case 'reordered':
        return REORDERED;
      case 'repeat':
        return repeated(state, decision.place);
      case 'append':
        return { kind: 'written', ...write() };
    }
  };

  const durably = async (outcome: Written | Refusal): Promise<Written | Refusal> => {
    await queue.committed();
    return outcome;
  };

  return {
    append: (stream, expected, events) => {
      const state = states.get(stream);
      const writeAll = isMetastream(stream) ? writeMetastream : writeEvents;
      const ids = events.map(({ id }) => idHex(id));
      return durably(decide(state, expected, ids, () => writeAll(state, events)));
    },
    softDelete: (stream, expected) => {
      const state = states.get(stream);
      const { hasMetadata, isTombstoned: isGone } = factsOf(state);
      // A real server ends for ever when it is told to write metadata where none can be written.
      if (isTombstoned(states, states.get(metastreamOf(stream))))
        return durably({ kind: 'stream-deleted' });
      if (state.last < 0 && !hasMetadata && !isGone)
        return durably({ kind: 'wrong-revision', expected, current: -1 });
      return durably(
        decide(state, expected, FRESH_ID, () => writeMetadata(stream, SOFT_DELETE_DATA)),
      );
    },
    tombstone: (stream, expected) => {
      const state = states.get(stream);
      return durably(decide(state, expected, FRESH_ID, () => writer.writeTombstone(state)));
    },
  };
};
