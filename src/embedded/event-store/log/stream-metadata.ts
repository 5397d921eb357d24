/** The part of a stream's `$metadata` the server acts on. `truncateBefore` is the lowest revision still read. */
export type StreamMetadata = Readonly<{
  maxCount?: number;
  maxAgeMs?: number;
  truncateBefore?: number;
  isSoftDeleted: boolean;
}>;

/** What an absent, unreadable or binary `$metadata` event means. */
export const NO_METADATA: StreamMetadata = { isSoftDeleted: false };

/** Metadata streams keep one event, implicitly. */
export const METASTREAM_METADATA: StreamMetadata = { maxCount: 1, isSoftDeleted: false };

/** `$tb` of a soft-deleted stream: 2^63 - 1, which JSON.parse rounds. */
const SOFT_DELETED_FROM = 2 ** 53 - 1;

/** The data of the `$metadata` event that soft-deletes; written as text because the number has no exact double. */
export const SOFT_DELETE_DATA = Buffer.from('{"$tb":9223372036854775807}');

const METASTREAM_PREFIX = '$$';

/** `$$<stream>`: where the metadata of a stream lives. */
export const metastreamOf = (stream: string): string => METASTREAM_PREFIX + stream;

/** Whether `stream` holds the metadata of another one. */
export const isMetastream = (stream: string): boolean => stream.startsWith(METASTREAM_PREFIX);

/** The stream whose metadata `metastream` holds. */
export const originalOf = (metastream: string): string =>
  metastream.slice(METASTREAM_PREFIX.length);

const parseObject = (data: Uint8Array): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

const naturalOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 ? Math.floor(value) : undefined;

/** Reads a `$metadata` event; unreadable data counts as no metadata, as on a real server. */
export const parseMetadata = (data: Uint8Array): StreamMetadata => {
  const raw = parseObject(data);
  if (!raw) return NO_METADATA;
  const maxCount = naturalOf(raw['$maxCount']);
  const maxAgeSeconds = naturalOf(raw['$maxAge']);
  const truncateBefore = naturalOf(raw['$tb']);
  return {
    ...(maxCount !== undefined && { maxCount }),
    ...(maxAgeSeconds !== undefined && { maxAgeMs: maxAgeSeconds * 1000 }),
    ...(truncateBefore !== undefined && { truncateBefore }),
    isSoftDeleted: truncateBefore !== undefined && truncateBefore >= SOFT_DELETED_FROM,
  };
};

/** The same metadata with `$tb` moved to the first revision after a soft delete. */
export const reviveMetadata = (data: Uint8Array, truncateBefore: number): Buffer =>
  Buffer.from(JSON.stringify({ ...parseObject(data), $tb: truncateBefore }));

/** The lowest revision metadata leaves readable, before `$maxAge`. */
export const lowestRevision = (
  last: number,
  { maxCount, truncateBefore }: StreamMetadata,
): number => Math.max(0, maxCount === undefined ? 0 : last - maxCount + 1, truncateBefore ?? 0);
