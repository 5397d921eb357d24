import { type Command } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import { type SegmentEvent } from '../../domain/segment/events.js';
import { type Segment } from '../../domain/segment/segment.js';
import { requireSegment, type SegmentPlace } from './guards.js';

/** What is left out stays as it is. */
export type ChangeSegmentDetails = Command<
  'ChangeSegmentDetails',
  SegmentPlace & { name?: string; description?: string; tags?: readonly string[] }
>;

export const changeSegmentDetails = (
  { data }: ChangeSegmentDetails,
  segment: Segment,
): readonly SegmentEvent[] => {
  const active = requireSegment(segment, data.segmentKey);
  const present = { name: active.name, description: active.description, tags: active.tags };
  const { name = present.name, description = present.description } = data;
  const tags = data.tags === undefined ? present.tags : [...new Set(data.tags)];
  const wanted = { name, description, tags };
  return sameJson(present, wanted) ? [] : [{ type: 'SegmentDetailsChanged', data: wanted }];
};
