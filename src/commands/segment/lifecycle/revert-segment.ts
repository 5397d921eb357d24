import { type Command } from '../../../domain/decider.js';
import { sameJson } from '../../../domain/json.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment, segmentContentOf } from '../../../domain/segment/segment.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import { type SegmentSnapshot, segmentSnapshotData } from '../snapshot.js';

/** Makes a live segment what it was at `snapshot`. */
export type RevertSegment = Command<'RevertSegment', SegmentPlace & { snapshot: SegmentSnapshot }>;

export const revertSegment = (
  { data }: RevertSegment,
  segment: Segment,
): readonly SegmentEvent[] => {
  const present = segmentContentOf(requireSegment(segment, data.segmentKey));
  const reverted = segmentSnapshotData(data.snapshot);
  return sameJson(present, reverted.content) ? [] : [{ type: 'SegmentReverted', data: reverted }];
};
