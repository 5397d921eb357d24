import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { without } from '../../rules/rule-list.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import { segmentRulesChanged } from './new-segment-rule.js';

export type RemoveSegmentRule = Command<'RemoveSegmentRule', SegmentPlace & { rule: string }>;

export const removeSegmentRule = (
  { data }: RemoveSegmentRule,
  segment: Segment,
): readonly SegmentEvent[] => {
  const { rules } = requireSegment(segment, data.segmentKey);
  return segmentRulesChanged(rules, without(rules, data.rule));
};
