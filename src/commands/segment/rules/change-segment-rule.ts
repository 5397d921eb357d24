import { type Command } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { replaced, requireRule } from '../../rules/rule-list.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import {
  type NewSegmentRule,
  requireSegmentRule,
  segmentRulesChanged,
} from './new-segment-rule.js';

/** What is left out stays as it is. */
export type ChangeSegmentRule = Command<
  'ChangeSegmentRule',
  SegmentPlace & { rule: string; change: Partial<Omit<NewSegmentRule, 'id'>> }
>;

export const changeSegmentRule =
  (ports: ClausePorts) =>
  ({ data }: ChangeSegmentRule, segment: Segment): readonly SegmentEvent[] => {
    const { rules: present } = requireSegment(segment, data.segmentKey);
    const rule = { ...requireRule(present, data.rule), ...data.change };
    requireSegmentRule(rule, `rule '${rule.id}'`, ports);
    return segmentRulesChanged(present, replaced(present, rule));
  };
