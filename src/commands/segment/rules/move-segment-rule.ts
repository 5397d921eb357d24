import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { moved, type RulePlace } from '../../rules/rule-list.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import { segmentRulesChanged } from './new-segment-rule.js';

export type MoveSegmentRule = Command<
  'MoveSegmentRule',
  SegmentPlace & { rule: string; place: RulePlace }
>;

export const moveSegmentRule = (
  { data }: MoveSegmentRule,
  segment: Segment,
): readonly SegmentEvent[] => {
  const { rules } = requireSegment(segment, data.segmentKey);
  return segmentRulesChanged(rules, moved(rules, data.rule, data.place));
};
