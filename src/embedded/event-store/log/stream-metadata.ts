import {
  integerOf,
  readJsonObject,
  writeJson,
  type Json,
  type JsonObject,
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
export const METASTREAM_METADATA: StreamMetadata = { maxCount: 1, isSoftDeleted: false };

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
