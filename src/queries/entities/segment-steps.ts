import { type Change } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { type JsonObject } from '../../domain/json.js';
import { type ExistingSegment } from '../../domain/segment.js';

/** A state as a row of a segment has it: without its lists it says how long they are. */
export type StoredSegment = Omit<ExistingSegment, 'included' | 'excluded'> &
  Partial<Pick<ExistingSegment, 'included' | 'excluded'>> &
  Readonly<{ counts?: Readonly<{ included: number; excluded: number }> }>;

type KeyLists = Readonly<Pick<ExistingSegment, 'included' | 'excluded'>>;

const NO_KEYS: KeyLists = { included: [], excluded: [] };

/** Events that say by themselves what came or went. */
const CHANGES_OF_LISTS = ['SegmentKeysAdded', 'SegmentKeysRemoved'];

/** Events for which both states must be whole: what changed of the lists follows from these alone. */
export const needsWholeLists = (event: string): string =>
  `(${event}.type in ('SegmentKeysChanged', 'SegmentRestored', 'SegmentReverted')
    and ${event}.data -> 'keysKept' is null)`;

type SegmentStep = Readonly<{
  type: string;
  data: JsonObject;
  before: StoredSegment | null;
  after: StoredSegment | null;
}>;

/**
 * What an event changed in a segment, from the states of the rows before and after it. Where one leaves out its lists,
 * they are taken from the event, or are the same in both.
 */
export const segmentStepChanges = ({
  type,
  data,
  before,
  after,
}: SegmentStep): readonly Change[] => {
  const told: KeyLists = CHANGES_OF_LISTS.includes(type) ? { ...NO_KEYS, ...data } : NO_KEYS;
  const isPartial =
    told !== NO_KEYS || before?.included === undefined || after?.included === undefined;
  const whole = (state: StoredSegment | null, lists: KeyLists): ExistingSegment | undefined =>
    state === null
      ? undefined
      : { ...NO_KEYS, ...state, ...(isPartial && before !== null ? lists : {}) };
  return segmentChangesBetween(
    whole(before, type === 'SegmentKeysRemoved' ? told : NO_KEYS),
    whole(after, type === 'SegmentKeysAdded' ? told : NO_KEYS),
  );
};
