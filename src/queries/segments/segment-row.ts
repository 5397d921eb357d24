import { type Change } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { type JsonObject } from '../../domain/json.js';
import { type Position } from '../../domain/position.js';
import { type ExistingSegment } from '../../domain/segment/segment.js';
import { type Fact, factColumns } from '../provenance.js';
import { segmentView, type SegmentView } from './segment-view.js';

/** A segment joined with the revision that held at a position; `state` is null when it did not exist yet. */
export type SegmentRow = Fact & {
  key: string;
  createdAt: Date;
  state: ExistingSegment | null;
  nextPosition: Position | null;
  nextAt: Date | null;
};

/** The SQL of the whole state of a row of `segment_revision`; the row itself may leave out the lists of keys. */
export const wholeSegmentState = (row: string): string =>
  `segment_state(${row}.project_id, ${row}.segment_key, ${row}.revision, ${row}.state, ${row}.keys_from)`;

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

const revisionAt = (position: string, state: string): string =>
  `select h.revision, h.position_from, h.position_to, h.recorded_from, h.recorded_to, ${state} as state
     from segment_revision h
    where h.project_id = s.project_id
      and h.segment_key = s.key
      and h.position_from <= ${position}
    order by h.position_from desc
    limit 1`;

/**
 * The latest revision of segment `s` at or before a position, one step down an index per segment.
 * @param position the SQL of the position
 */
export const segmentRevisionAt = (position: string): string =>
  revisionAt(position, wholeSegmentState('h'));

/** The same with the state as the row has it (StoredSegment). */
export const storedRevisionAt = (position: string): string => revisionAt(position, 'h.state');

/** Select list of a SegmentRow, from segment s, its revision r and that revision's event e. */
export const SEGMENT_COLUMNS = `s.key, s.created_at as "createdAt", r.state,
   r.position_to as "nextPosition", r.recorded_to as "nextAt", ${factColumns('e')}`;

export const viewOfRow = (row: SegmentRow, state: ExistingSegment): SegmentView => {
  const { nextPosition, nextAt } = row;
  const next =
    nextPosition === null || nextAt === null
      ? undefined
      : { position: nextPosition, recordedAt: nextAt };
  return segmentView({ state, createdAt: row.createdAt, last: row, next });
};
