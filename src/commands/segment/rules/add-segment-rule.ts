import { type Command, DomainError } from '../../../domain/decider.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { withIds } from '../../rules/rule-id.js';
import { inserted, type RulePlace } from '../../rules/rule-list.js';
import { requireSegment, type SegmentPlace } from '../guards.js';
import {
  type NewSegmentRule,
  requireSegmentRule,
  segmentRulesChanged,
  toSegmentRule,
} from './new-segment-rule.js';

export type AddSegmentRule = Command<
  'AddSegmentRule',
  SegmentPlace & { rule: NewSegmentRule; place: RulePlace }
>;

export const addSegmentRule =
  (ports: ClausePorts) =>
  ({ data }: AddSegmentRule, segment: Segment): readonly SegmentEvent[] => {
    const { rules: present } = requireSegment(segment, data.segmentKey);
    const added = withIds([data.rule], present).map(toSegmentRule);
    for (const rule of added) {
      if (present.some(({ id }) => id === rule.id))
        throw new DomainError('rule-exists', `There is a rule '${rule.id}' already.`);
      requireSegmentRule(rule, `rule '${rule.id}'`, ports);
    }
    const rules = added.reduce((list, rule) => inserted(list, rule, data.place), present);
    return segmentRulesChanged(present, rules);
  };
