import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { requireExistingSegment, type SegmentPlace } from '../guards.js';

/** The segment keeps its key and its history, and can be restored. That nobody uses it is checked before the append. */
export type DeleteSegment = Command<'DeleteSegment', SegmentPlace>;

export const deleteSegment = (
  { data }: DeleteSegment,
  segment: Segment,
): readonly SegmentEvent[] =>
  requireExistingSegment(segment, data.segmentKey).status === 'deleted'
    ? []
    : [{ type: 'SegmentDeleted', data: {} }];
