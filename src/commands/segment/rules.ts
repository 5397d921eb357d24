import { type Command, DomainError } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import { type Segment, type SegmentEvent, type SegmentRule } from '../../domain/segment.js';
import { type Clause } from '../../domain/targeting/clause.js';
import { type ClausePorts, requireValidClauses } from '../../domain/targeting/valid-clauses.js';
import {
  inserted,
  moved,
  replaced,
  requireRule,
  requireRuleList,
  type RulePlace,
  withIds,
  without,
} from '../rule-list.js';
import { requireSegment, type SegmentPlace } from './guards.js';

/** A rule as it is asked for. Without an id it is given one. */
export type NewSegmentRule = Readonly<{
  id?: string;
  description?: string;
  clauses: readonly Clause[];
}>;

/** A rule as it is stored. */
export const toSegmentRule = ({
  id,
  description = '',
  clauses,
}: NewSegmentRule & Readonly<{ id: string }>): SegmentRule => ({ id, description, clauses });

/** @throws DomainError `invalid-clause`, `invalid-regex` */
export const requireSegmentRule = (
  { clauses }: SegmentRule,
  where: string,
  ports: ClausePorts,
): void => {
  if (clauses.length === 0) {
    throw new DomainError('invalid-clause', `${where}: A rule of a segment needs a clause.`);
  }
  requireValidClauses(clauses, where, ports);
};

/** The event that makes these the rules; none when they are already. @throws DomainError as requireRuleList */
export const segmentRulesChanged = (
  present: readonly SegmentRule[],
  rules: readonly SegmentRule[],
): readonly SegmentEvent[] => {
  requireRuleList(rules);
  return sameJson(present, rules) ? [] : [{ type: 'SegmentRulesChanged', data: { rules } }];
};

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

export type RemoveSegmentRule = Command<'RemoveSegmentRule', SegmentPlace & { rule: string }>;

export const removeSegmentRule = (
  { data }: RemoveSegmentRule,
  segment: Segment,
): readonly SegmentEvent[] => {
  const { rules } = requireSegment(segment, data.segmentKey);
  return segmentRulesChanged(rules, without(rules, data.rule));
};

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
