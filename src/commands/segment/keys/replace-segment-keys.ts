import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import { type KeyLists, keysChanged } from './key-lists.js';

/** The whole new lists. */
export type ReplaceSegmentKeys = Command<'ReplaceSegmentKeys', SegmentPlace & KeyLists>;

export const replaceSegmentKeys = (
  { data }: ReplaceSegmentKeys,
  segment: Segment,
): readonly SegmentEvent[] => keysChanged(requireSegment(segment, data.segmentKey), data);
