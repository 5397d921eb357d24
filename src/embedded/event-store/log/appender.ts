import type { Written } from '../wire/append-replies.js';
import type { Refusal } from '../wire/errors.js';
import { decodeFrame, type ProposedEvent } from '../wire/frame.js';
import type { Expected } from '../wire/requests.js';
import type { CommitQueue } from '../storage/commit-queue.js';
import { decideAppend, type Place, type StreamFacts } from './expected-revision.js';
import type { LogReader } from '../storage/reader.js';
import { idHex, type RecentIds } from './recent-ids.js';
import {
  isMetastream,
  metastreamOf,
  originalOf,
  reviveMetadata,
  SOFT_DELETE_DATA,
} from './stream-metadata.js';
import { isTombstoned, type StreamState, type StreamStates } from './stream-states.js';
import { systemEvent, type LogWriter } from './writer.js';

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

const writtenAt = ({ last }: StreamState, place: Place | undefined): Written => ({
  kind: 'written',
  revision: place?.revision ?? last,
  position: place?.position,
});

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

  const currentMetadata = (stream: string): Buffer => {
    const metastream = metastreamOf(stream);
    if (states.isTouched(metastream)) queue.flush();
    const { key, last } = states.get(metastream);
    const place = reader.placeAt(key, last);
    return place ? decodeFrame(place.frame).data : SOFT_DELETE_DATA;
  };

  const writeEvents = (
    state: StreamState,
    events: readonly [ProposedEvent, ...ProposedEvent[]],
  ): Place => {
    const revives = state.metadata.isSoftDeleted;
    const metadata = revives ? currentMetadata(state.name) : SOFT_DELETE_DATA;
    const truncateBefore = state.last + 1;
    const place = writer.write(state, events);
    if (revives) writeMetadata(state.name, reviveMetadata(metadata, truncateBefore));
    return place;
  };

  /** Writing to the metadata stream of a soft-deleted stream revives the stream, still empty. */
  const writeMetastream = (
    state: StreamState,
    events: readonly [ProposedEvent, ...ProposedEvent[]],
  ): Place => {
    const target = states.get(originalOf(state.name));
    const revives = target.metadata.isSoftDeleted;
    const place = writer.write(state, events);
    const written = events.at(-1) ?? events[0];
    if (revives) writeMetadata(target.name, reviveMetadata(written.data, target.last + 1));
    return place;
  };

  const decide = (
    state: StreamState,
    expected: Expected,
    ids: readonly string[],
    write: () => Place | undefined,
  ): Written | Refusal => {
    const decision = decideAppend(expected, ids, factsOf(state));
    switch (decision.kind) {
      case 'stream-deleted':
        return decision;
      case 'wrong-revision':
        return { kind: 'wrong-revision', expected, current: state.last };
      case 'repeat':
        return writtenAt(state, decision.place);
      case 'append':
        return writtenAt(state, write());
    }
  };

  const durably = async (outcome: Written | Refusal): Promise<Written | Refusal> => {
    await queue.settled();
    return outcome;
  };

  return {
    append: (stream, expected, events) => {
      const state = states.get(stream);
      const write = isMetastream(stream) ? writeMetastream : writeEvents;
      const [first, ...rest] = events;
      const ids = events.map(({ id }) => idHex(id));
      return durably(decide(state, expected, ids, () => first && write(state, [first, ...rest])));
    },
    softDelete: (stream, expected) => {
      const state = states.get(stream);
      const { hasMetadata, isTombstoned: isGone } = factsOf(state);
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
