import { setDifference, withKeys, withoutKeys } from '../targeting/key-lists.js';
import {
  type SegmentDefinition,
  type SegmentEdit,
  segmentEntry,
  type SegmentKeys,
  segmentPartEntry,
} from './ruleset.js';

/** Both lists together may be so long and still be in the segment's own entry. */
const SHORT = 100;

/** About so many keys are in one part. */
const KEYS_PER_PART = 128;

/** Characters at the end of a key that say which part it is in. Those of sealed texts are as good as random. */
const TELLING = 16;

/** A segment as an entry of its own. `parts`: how many entries have its lists; without it they are in this one. */
export type SegmentHead = SegmentDefinition & Readonly<{ parts?: number }>;

/** How a segment is stored: entry name → its content. */
export type StoredSegment = ReadonlyMap<string, SegmentHead | SegmentKeys>;

const NO_KEYS: SegmentKeys = { included: [], excluded: [] };

const noLists = (): Record<'included' | 'excluded', string[]> => ({ included: [], excluded: [] });

const partCount = ({ included, excluded }: SegmentKeys): number => {
  const keys = included.length + excluded.length;
  return keys <= SHORT ? 0 : 2 ** Math.ceil(Math.log2(Math.max(1, keys / KEYS_PER_PART)));
};

/** FNV-1a of the end of the key. `count` is a power of two. */
const partOf = (key: string, count: number): number => {
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, key.length - TELLING); at < key.length; at += 1)
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 16)) & (count - 1);
};

const partsOf = (lists: SegmentKeys, count: number): readonly SegmentKeys[] => {
  const parts = Array.from({ length: count }, noLists);
  for (const list of ['included', 'excluded'] as const)
    for (const key of lists[list]) parts[partOf(key, count)]?.[list].push(key);
  return parts;
};

const headOf = (definition: SegmentDefinition, parts: number): SegmentHead =>
  parts === 0 ? definition : { ...definition, ...NO_KEYS, parts };

/** Whole: a segment of many keys in parts, each of which is about as long whatever the segment is. */
export const storedSegment = (definition: SegmentDefinition): StoredSegment => {
  const count = partCount(definition);
  return new Map<string, SegmentHead | SegmentKeys>([
    [segmentEntry(definition.key), headOf(definition, count)],
    ...partsOf(definition, count).map(
      (part, nth) => [segmentPartEntry(definition.key, nth), part] as const,
    ),
  ]);
};

const isSame = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((key, nth) => key === right[nth]);

/** The entries that differ, and the edit that leads there; undefined when the segment is stored anew. */
export const segmentEdit = (
  before: SegmentDefinition,
  after: SegmentDefinition,
): Readonly<{ entries: StoredSegment; edit: SegmentEdit }> | undefined => {
  const count = partCount(after);
  if (count === 0 || count !== partCount(before)) return undefined;
  const entries = new Map<string, SegmentHead | SegmentKeys>();
  entries.set(segmentEntry(after.key), headOf(after, count));
  const changed = { removed: noLists(), added: noLists() };
  const [old, parts] = [partsOf(before, count), partsOf(after, count)];
  for (const [nth, part] of parts.entries()) {
    const was = old[nth] ?? NO_KEYS;
    if (isSame(was.included, part.included) && isSame(was.excluded, part.excluded)) continue;
    entries.set(segmentPartEntry(after.key, nth), part);
    for (const list of ['included', 'excluded'] as const) {
      const { removed, added } = setDifference(was[list], part[list]);
      changed.removed[list].push(...removed);
      changed.added[list].push(...added);
    }
  }
  const edit = { definition: { ...after, ...NO_KEYS }, from: before.revision, ...changed };
  return { entries, edit };
};

/** The segment after an edit; undefined when that was made on another revision. */
export const editedSegment = (
  before: SegmentDefinition | null | undefined,
  { definition, from, removed, added }: SegmentEdit,
): SegmentDefinition | undefined => {
  if (before?.revision !== from) return undefined;
  return {
    ...definition,
    included: withKeys(withoutKeys(before.included, removed.included), added.included),
    excluded: withKeys(withoutKeys(before.excluded, removed.excluded), added.excluded),
  };
};

/** Puts together what `storedSegment` took apart. `entryOf`: the content of an entry. */
export const restoredSegment = (
  { parts = 0, ...definition }: SegmentHead,
  entryOf: (name: string) => SegmentKeys,
): SegmentDefinition => {
  if (parts === 0) return definition;
  const lists = Array.from({ length: parts }, (_, nth) =>
    entryOf(segmentPartEntry(definition.key, nth)),
  );
  return {
    ...definition,
    included: lists.flatMap(({ included }) => included),
    excluded: lists.flatMap(({ excluded }) => excluded),
  };
};
