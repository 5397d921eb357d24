import { type Command, DomainError } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { requireExistingSegment, type SegmentPlace } from '../guards.js';
import { type SegmentSnapshot, segmentSnapshotData } from '../snapshot.js';

/** Brings a deleted segment back, as it was at `snapshot`. */
export type RestoreSegment = Command<
  'RestoreSegment',
  SegmentPlace & { snapshot: SegmentSnapshot }
>;

export const restoreSegment = (
  { data }: RestoreSegment,
  segment: Segment,
): readonly SegmentEvent[] => {
  if (requireExistingSegment(segment, data.segmentKey).status !== 'deleted') {
    throw new DomainError(
      'segment-not-deleted',
      `Segment '${data.segmentKey}' is not deleted; to change it back, revert it.`,
    );
  }
  return [{ type: 'SegmentRestored', data: segmentSnapshotData(data.snapshot) }];
};
