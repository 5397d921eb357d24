import { type Recorded } from '../../domain/recorded.js';
import { type ExistingSegment, type SegmentEvent } from '../../domain/segment.js';
/** A list as it was read from the read model. */
export type ReadRow = Readonly<Record<string, unknown>>;

/**
 * Where a row of the segment has whole lists: the revision, and how many keys came and went since. A row with none since
 * has them itself.
 */
export type ListBase = Readonly<{ from: number; since: number }>;

/** Shorter lists are in every row. */
const SHORT = 100;

/** Events that say what came or went, and nothing else of the lists. */
const isChange = (
  event: SegmentEvent,
): event is Extract<SegmentEvent, { type: 'SegmentKeysAdded' | 'SegmentKeysRemoved' }> =>
  event.type === 'SegmentKeysAdded' || event.type === 'SegmentKeysRemoved';

/** Events that leave the lists as they are. */
const keepsLists = (event: SegmentEvent): boolean => {
  switch (event.type) {
    case 'SegmentDetailsChanged':
    case 'SegmentRulesChanged':
    case 'SegmentDeleted':
      return true;
    case 'SegmentRestored':
    case 'SegmentReverted':
      return event.data.keysKept === true;
    default:
      return false;
  }
};

const baseAfter = (event: SegmentEvent, before: ListBase, here: ListBase, keys: number) => {
  if (!isChange(event)) return keepsLists(event) && before.since > 0 ? before : here;
  const since = before.since + event.data.included.length + event.data.excluded.length;
  return keys > Math.max(SHORT, since) ? { from: before.from, since } : here;
};

/**
 * Where the whole lists are after an event: in its own row when it says all of them, when they are short, and when as
 * many keys have come and gone as there are. So rows hold, and readers put together, no more than a few times what came.
 */
export const listBase = (
  event: Recorded<SegmentEvent>,
  before: Readonly<{ lists?: ListBase }> | undefined,
  { included, excluded }: ExistingSegment,
): ListBase => {
  const here = { from: event.revision, since: 0 };
  if (before?.lists === undefined) return here;
  return baseAfter(event, before.lists, here, included.length + excluded.length);
};

/** What a row says of it. */
export const listsOfRow = (row: ReadRow): Readonly<{ lists: ListBase }> => ({
  lists: { from: Number(row['keys_from'] ?? row['revision']), since: Number(row['keys_since']) },
});
