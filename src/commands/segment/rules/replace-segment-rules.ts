import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { withIds } from '../../rules/rule-id.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import {
  type NewSegmentRule,
  requireSegmentRule,
  segmentRulesChanged,
  toSegmentRule,
} from './new-segment-rule.js';

/** The whole new list. Whoever one of them is for is a member. */
export type ReplaceSegmentRules = Command<
  'ReplaceSegmentRules',
  SegmentPlace & { rules: readonly NewSegmentRule[] }
>;

export const replaceSegmentRules =
  (ports: ClausePorts) =>
  ({ data }: ReplaceSegmentRules, segment: Segment): readonly SegmentEvent[] => {
    const { rules: present } = requireSegment(segment, data.segmentKey);
    const rules = withIds(data.rules, []).map(toSegmentRule);
    for (const [index, rule] of rules.entries()) requireSegmentRule(rule, `rules[${index}]`, ports);
    return segmentRulesChanged(present, rules);
  };
