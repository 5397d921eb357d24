import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type CommitQueue } from '../storage/commit-queue.js';
import { encodeFrame, type ProposedEvent, TOMBSTONE_REVISION } from '../wire/frame.js';
import { type Place } from './expected-revision.js';
import {
  isMetastream,
  NO_METADATA,
  originalOf,
  parseMetadata,
  type StreamMetadata,
  type StreamState,
  type StreamStates,
} from './stream-states.js';

/** An event id without its hyphens: how ids are compared and, as bytes, stored. */
export const idHex = (id: string): string => id.replaceAll('-', '');

/**
 * The places of recently written events by `idHex`; empty after a restart. As on a real server an id is
 * remembered once for the whole log, where it was written first: in any other stream it is unknown.
 */
export type RecentIds = Readonly<{
  add: (stream: number, id: string, place: Place) => void;
  /** Takes back an event that was dropped; where the id was written before stays known. */
  forget: (id: string, position: number) => void;
  placeOf: (stream: number, id: string) => Place | undefined;
}>;

/** A real server gives 8 MiB to this memory: 100 000 to 150 000 ids, first in, first out. */
const KEPT_IDS = 100_000;

/** A bounded memory of written ids. */
export const recentIds = (): RecentIds => {
  const places = new Map<string, Place & Readonly<{ stream: number }>>();
  return {
    add: (stream, id, place) => {
      if (places.has(id)) return;
      places.set(id, { ...place, stream });
      if (places.size <= KEPT_IDS) return;
      for (const oldest of places.keys()) {
        places.delete(oldest);
        return;
      }
    },
    placeOf: (stream, id) => {
      const place = places.get(id);
      return place?.stream === stream ? place : undefined;
    },
    forget: (id, position) => {
      if (places.get(id)?.position === position) places.delete(id);
    },
  };
};

/** Puts accepted events at the end of the log: gives them revision, position and time, and queues their rows. */
export type LogWriter = Readonly<{
  /** Returns where the last of `events` went; there must be at least one. */
  write: (state: StreamState, events: readonly [ProposedEvent, ...ProposedEvent[]]) => Place;
  /** Writes the `$streamDeleted` event that closes a stream for ever. */
  writeTombstone: (state: StreamState) => Place;
  /** Where the next event will go. */
  end: () => number;
  /** Continues from this position after events were dropped. */
  resume: (nextPosition: number) => void;
}>;

/** The end of the log: where the next event goes, and the newest `created` (ms since the epoch). */
export type LogEnd = Readonly<{ nextPosition: number; createdMs: number }>;

const NO_BYTES = Buffer.alloc(0);

/** An event the server itself writes. */
export const systemEvent = (type: string, data: Buffer, isJson: boolean): ProposedEvent => ({
  id: randomUUID(),
  type,
  isJson,
  data,
  metadata: NO_BYTES,
});

/** `created` never decreases along the log, whatever the clock does. */
export const logWriter = (
  { queue, states, recentIds }: { queue: CommitQueue; states: StreamStates; recentIds: RecentIds },
  end: LogEnd,
): LogWriter => {
  let { nextPosition, createdMs } = end;

  const place = (state: StreamState, event: ProposedEvent, revision: number): Place => {
    const position = nextPosition;
    const { name, key } = state;
    const frame = encodeFrame({ ...event, stream: name, revision, position, createdMs });
    const crc = crc32(frame);
    const hex = idHex(event.id);
    const id = Buffer.from(hex, 'hex');
    queue.addEvent({
      position,
      stream: key,
      revision,
      id,
      type: event.type,
      createdMs,
      crc,
      frame,
    });
    recentIds.add(key, hex, { revision, position });
    nextPosition += frame.length;
    state.last = revision;
    return { revision, position };
  };

  const begin = (state: StreamState): void => {
    createdMs = Math.max(createdMs, Date.now());
    states.touch(state);
    if (state.isStored) return;
    queue.addStream(state.key, state.name);
    state.isStored = true;
  };

  /** The metadata of metadata streams is fixed. */
  const applyMetadata = (metastream: string, metadata: StreamMetadata): void => {
    const original = originalOf(metastream);
    if (isMetastream(original)) return;
    const target = states.get(original);
    states.touch(target);
    target.metadata = metadata;
  };

  const metadataIn = ({ isJson, data }: ProposedEvent): StreamMetadata =>
    isJson ? parseMetadata(data) : NO_METADATA;

  return {
    write: (state, events) => {
      begin(state);
      const [first, ...rest] = events;
      let last = place(state, first, state.last + 1);
      for (const event of rest) last = place(state, event, state.last + 1);
      if (isMetastream(state.name)) applyMetadata(state.name, metadataIn(rest.at(-1) ?? first));
      return last;
    },
    resume: (position) => {
      nextPosition = position;
    },
    writeTombstone: (state) => {
      begin(state);
      if (isMetastream(state.name)) applyMetadata(state.name, NO_METADATA);
      return place(state, systemEvent('$streamDeleted', NO_BYTES, false), TOMBSTONE_REVISION);
    },
    end: () => nextPosition,
  };
};
