import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import { keysChanged } from './key-lists.js';

/** These keys are in neither list any more: the rules say whether they are members. */
export type RemoveSegmentKeys = Command<
  'RemoveSegmentKeys',
  SegmentPlace & { keys: readonly string[] }
>;

export const removeSegmentKeys = (
  { data }: RemoveSegmentKeys,
  segment: Segment,
): readonly SegmentEvent[] => {
  const active = requireSegment(segment, data.segmentKey);
  const removed = new Set(data.keys);
  return keysChanged(active, {
    included: active.included.filter((key) => !removed.has(key)),
    excluded: active.excluded.filter((key) => !removed.has(key)),
  });
};
