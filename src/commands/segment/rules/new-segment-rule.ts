import { DomainError } from '../../../domain/decider.js';
import { sameJson } from '../../../domain/json.js';
import { type SegmentEvent, type SegmentRule } from '../../../domain/segment/events.js';
import { type Clause } from '../../../domain/targeting/clause.js';
import { type ClausePorts, requireValidClauses } from '../../../domain/targeting/valid-clauses.js';
import { requireRuleList } from '../../rules/rule-list.js';

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
