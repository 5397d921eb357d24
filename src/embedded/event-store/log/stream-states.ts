import { LRUCache } from 'lru-cache';
import { type Blob, type Database, lost, rowsOf } from '../storage/schema.js';
import { EVENT_COLUMNS, eventsOf, intactFrame, textOf } from '../storage/stored-event.js';
import { decodeFrame, TOMBSTONE_REVISION } from '../wire/frame.js';
import {
  integerOf,
  type Json,
  type JsonObject,
  readJsonObject,
  writeJson,
} from './metadata-json.js';

/** The part of a stream's `$metadata` the server acts on. `truncateBefore` is the lowest revision still read. */
export type StreamMetadata = Readonly<{
  maxCount?: number;
  maxAgeMs?: number;
  truncateBefore?: number;
  isSoftDeleted: boolean;
}>;

/** What an absent, unreadable or binary `$metadata` event means. */
export const NO_METADATA: StreamMetadata = { isSoftDeleted: false };

/** Metadata streams keep one event, whatever is written to their own metadata streams. */
const METASTREAM_METADATA: StreamMetadata = { maxCount: 1, isSoftDeleted: false };

const MAX_LONG = 2n ** 63n - 1n;

/** `$tb` of a soft-deleted stream. */
const SOFT_DELETED = MAX_LONG;

/** What .NET's TimeSpan holds. */
const MAX_AGE_SECONDS = 922_337_203_685n;

/** The data of the `$metadata` event that soft-deletes. */
export const SOFT_DELETE_DATA = Buffer.from(`{"$tb":${SOFT_DELETED}}`);

const METASTREAM_PREFIX = '$$';

/** `$$<stream>`: where the metadata of a stream lives. */
export const metastreamOf = (stream: string): string => METASTREAM_PREFIX + stream;

/** Whether `stream` holds the metadata of another one. */
export const isMetastream = (stream: string): boolean => stream.startsWith(METASTREAM_PREFIX);

/** The stream whose metadata `metastream` holds. */
export const originalOf = (metastream: string): string =>
  metastream.slice(METASTREAM_PREFIX.length);

const ACL_KEYS = new Set(['$r', '$w', '$d', '$mr', '$mw']);

const isRoles = (value: Json): boolean =>
  value.kind === 'text' ||
  (value.kind === 'list' && value.items.every(({ kind }) => kind === 'text'));

const isAcl = (value: Json): boolean =>
  value.kind === 'object' &&
  [...value.entries].every(([key, roles]) => ACL_KEYS.has(key) && isRoles(roles));

const isLong = (value: Json): boolean => {
  const integer = integerOf(value);
  return integer !== undefined && integer >= -MAX_LONG - 1n && integer <= MAX_LONG;
};

const isAge = (value: Json): boolean =>
  isLong(value) && (integerOf(value) ?? 0n) <= MAX_AGE_SECONDS;

const KNOWN: Record<string, (value: Json) => boolean> = {
  $maxCount: isLong,
  $tb: isLong,
  $cacheControl: isLong,
  $maxAge: isAge,
  $acl: isAcl,
};

/** One wrong type makes the whole metadata void. */
const isValid = ({ entries }: JsonObject): boolean =>
  Object.entries(KNOWN).every(([key, isRight]) => {
    const value = entries.get(key);
    return value === undefined || isRight(value);
  });

const clamped = (value: bigint): number =>
  Number(value < Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER - 1);

/** A number above zero; others are ignored. */
const positive = ({ entries }: JsonObject, key: string): bigint | undefined => {
  const value = entries.get(key);
  const integer = value && integerOf(value);
  return integer !== undefined && integer > 0n ? integer : undefined;
};

/** Reads a `$metadata` event; unreadable data counts as no metadata, as on a real server. */
export const parseMetadata = (data: Uint8Array): StreamMetadata => {
  const raw = readJsonObject(data);
  if (!raw || !isValid(raw)) return NO_METADATA;
  const maxCount = positive(raw, '$maxCount');
  const maxAgeSeconds = positive(raw, '$maxAge');
  const truncateBefore = positive(raw, '$tb');
  return {
    ...(maxCount !== undefined && { maxCount: clamped(maxCount) }),
    ...(maxAgeSeconds !== undefined && { maxAgeMs: Number(maxAgeSeconds) * 1000 }),
    ...(truncateBefore !== undefined && { truncateBefore: clamped(truncateBefore) }),
    isSoftDeleted: truncateBefore === SOFT_DELETED,
  };
};

/** The same metadata with `$tb` moved to the first revision after a soft delete; undefined for what is no object. */
export const reviveMetadata = (data: Uint8Array, truncateBefore: number): Buffer | undefined => {
  const raw = readJsonObject(data);
  if (!raw) return undefined;
  const entries = new Map(raw.entries).set('$tb', { kind: 'number', text: `${truncateBefore}` });
  return Buffer.from(writeJson({ kind: 'object', entries }));
};

/** The lowest revision metadata leaves readable, before `$maxAge`. */
export const lowestRevision = (
  last: number,
  { maxCount, truncateBefore }: StreamMetadata,
): number => Math.max(0, maxCount === undefined ? 0 : last - maxCount + 1, truncateBefore ?? 0);

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
