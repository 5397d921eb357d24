import { LRUCache } from 'lru-cache';
import { decodeFrame, TOMBSTONE_REVISION } from '../wire/frame.js';
import { rowsOf, type Database } from '../storage/sqlite.js';
import { lost } from '../storage/storage-error.js';
import { EVENT_COLUMNS, eventsOf, intactFrame, textOf } from '../storage/stored-event.js';
import type { Blob } from '../storage/blob.js';
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
  /** Forgets the touched states; the log holds what they were before. */
  discard: () => void;
}>;

const KEPT_STREAMS = 50_000;

/** Reads stream states from `db`; keys of new streams are given out here and stored by the writer. */
export const streamStates = (db: Database): StreamStates => {
  const kept = new LRUCache<string, StreamState>({ max: KEPT_STREAMS });
  const touched = new Map<string, StreamState>();
  const selectKey = db.prepare(
    `select i.id, cast(s.name as blob) as name
       from streams i left join streams s on s.id = i.id
      where i.name = ?`,
  );
  const selectLast = db.prepare(
    `select cast(e.revision as integer) as revision
       from events e
      where e.stream = ?
      order by e.revision desc
      limit 1`,
  );
  const selectNewest = db.prepare(
    `select ${EVENT_COLUMNS}
       from events e join streams s on s.id = e.stream
      where s.name = ?
      order by e.revision desc
      limit 1`,
  );
  const highest = db.prepare('select coalesce(max(id), 0) as id from streams').all() as [
    { id: number },
  ];
  let nextKey = highest[0].id + 1;

  const keyOf = (name: string): number | undefined => {
    const [row] = rowsOf<{ id: number; name: Blob | null }>(selectKey, name);
    if (row && textOf(row.name) !== name) throw lost(`stream ${name} has the key of another one`);
    return row?.id;
  };

  const lastOf = (key: number | undefined): number =>
    rowsOf<{ revision: number }>(selectLast, key ?? null)[0]?.revision ?? -1;

  const metadataOf = (name: string): StreamMetadata => {
    if (isMetastream(name)) return METASTREAM_METADATA;
    const [event] = eventsOf(selectNewest, metastreamOf(name));
    if (!event) return NO_METADATA;
    const { isJson, data } = decodeFrame(intactFrame(event));
    return isJson ? parseMetadata(data) : NO_METADATA;
  };

  const load = (name: string): StreamState => {
    const key = keyOf(name);
    return {
      name,
      key: key ?? nextKey++,
      isStored: key !== undefined,
      last: lastOf(key),
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
    discard: () => {
      for (const name of touched.keys()) kept.delete(name);
      touched.clear();
    },
  };
};

/** A tombstoned stream takes its metadata stream with it, and that stream's metadata stream, and so on. */
export const isTombstoned = (states: StreamStates, state: StreamState): boolean =>
  state.last === TOMBSTONE_REVISION ||
  (isMetastream(state.name) && isTombstoned(states, states.get(originalOf(state.name))));
