import { LRUCache } from 'lru-cache';
import { decodeFrame, TOMBSTONE_REVISION } from '../wire/frame.js';
import { bufferOf, type Blob } from '../storage/blob.js';
import type { Database } from '../storage/sqlite.js';
import {
  isMetastream,
  METASTREAM_METADATA,
  metastreamOf,
  NO_METADATA,
  originalOf,
  parseMetadata,
  type StreamMetadata,
} from './stream-metadata.js';

/** A stream as the next write will find it: `last` is -1 without events, TOMBSTONE_REVISION after a tombstone. */
export type StreamState = {
  readonly name: string;
  readonly key: number;
  isStored: boolean;
  last: number;
  metadata: StreamMetadata;
};

/** The states of streams, kept for the most recently used ones and read from the log for all others. */
export type StreamStates = Readonly<{
  get: (name: string) => StreamState;
  /** Keeps a state that differs from the log in memory until `settle`, whatever else is read. */
  touch: (state: StreamState) => void;
  isTouched: (name: string) => boolean;
  settle: () => void;
}>;

const KEPT_STREAMS = 50_000;

/** Reads stream states from `db`; keys of new streams are given out here and stored by the writer. */
export const streamStates = (db: Database): StreamStates => {
  const kept = new LRUCache<string, StreamState>({ max: KEPT_STREAMS });
  const touched = new Map<string, StreamState>();
  const selectKey = db.prepare('select id from streams where name = ?');
  const selectLast = db.prepare(
    `select revision, frame
       from events
      where stream = ?
      order by revision desc
      limit 1`,
  );
  const highest = db.prepare('select coalesce(max(id), 0) as id from streams').all() as [
    { id: number },
  ];
  let nextKey = highest[0].id + 1;

  const keyOf = (name: string): number | undefined =>
    (selectKey.all([name]) as { id: number }[])[0]?.id;

  const lastOf = (key: number | undefined) =>
    key === undefined
      ? undefined
      : (selectLast.all([key]) as { revision: number; frame: Blob }[])[0];

  const metadataOf = (name: string): StreamMetadata => {
    if (isMetastream(name)) return METASTREAM_METADATA;
    const event = lastOf(keyOf(metastreamOf(name)));
    if (!event) return NO_METADATA;
    const { isJson, data } = decodeFrame(bufferOf(event.frame));
    return isJson ? parseMetadata(data) : NO_METADATA;
  };

  const load = (name: string): StreamState => {
    const key = keyOf(name);
    return {
      name,
      key: key ?? nextKey++,
      isStored: key !== undefined,
      last: lastOf(key)?.revision ?? -1,
      metadata: metadataOf(name),
    };
  };

  return {
    get: (name) => {
      const known = touched.get(name) ?? kept.get(name);
      if (known) return known;
      const state = load(name);
      kept.set(name, state);
      return state;
    },
    touch: (state) => {
      touched.set(state.name, state);
    },
    isTouched: (name) => touched.has(name),
    settle: () => {
      for (const [name, state] of touched) kept.set(name, state);
      touched.clear();
    },
  };
};

/** A tombstoned stream takes its metadata stream with it. */
export const isTombstoned = (states: StreamStates, state: StreamState): boolean =>
  state.last === TOMBSTONE_REVISION ||
  (isMetastream(state.name) && states.get(originalOf(state.name)).last === TOMBSTONE_REVISION);
