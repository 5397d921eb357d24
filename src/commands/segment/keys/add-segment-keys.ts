import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import { type KeyLists, keysChanged, normaliseKeys } from './key-lists.js';

/** These keys are included or excluded from now on, whatever they were before. */
export type AddSegmentKeys = Command<'AddSegmentKeys', SegmentPlace & KeyLists>;

export const addSegmentKeys = (
  { data }: AddSegmentKeys,
  segment: Segment,
): readonly SegmentEvent[] => {
  const active = requireSegment(segment, data.segmentKey);
  const added = normaliseKeys(data);
  const [included, excluded] = [new Set(added.included), new Set(added.excluded)];
  return keysChanged(active, {
    included: [...active.included.filter((key) => !excluded.has(key)), ...included],
    excluded: [...active.excluded.filter((key) => !included.has(key)), ...excluded],
  });
};
