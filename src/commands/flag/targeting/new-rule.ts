import { DomainError } from '../../../domain/decider.js';
import { requireValidLogic } from '../../../domain/evaluation/logic/compile-logic.js';
import { type Rule, type RuleServe } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type ExistingFlag } from '../../../domain/flag/flag.js';
import { type Json, sameJson } from '../../../domain/json.js';
import { type Clause } from '../../../domain/targeting/clause.js';
import { type ClausePorts, requireValidClauses } from '../../../domain/targeting/valid-clauses.js';
import { requireRuleList } from '../../rules/rule-list.js';
import { type Fallthrough, toServe } from '../configuration/change-rollout.js';
import { requireVariants } from '../guards.js';

/** What a rule is asked to serve: as a fallthrough, or by an expression that names the variant. */
type WantedServe = Fallthrough | Readonly<{ logic: Json }>;

/** A rule as it is asked for. Without an id it is given one. */
export type NewRule = Readonly<{
  id?: string;
  description?: string;
  clauses: readonly Clause[];
  serve: WantedServe;
}>;

/** Names the list of rules of a flag in an environment. */
export type RulesPlace = Readonly<{ projectId: string; flagKey: string; environment: string }>;

const servedNames = (serve: Fallthrough): readonly (string | null)[] =>
  'split' in serve ? serve.split.map(({ variant }) => variant) : [serve.variant];

/** What a rule is asked to serve, as it is stored. @throws DomainError as toSplit, `unknown-variant`, `invalid-logic` */
export const toRuleServe = (
  wanted: WantedServe,
  present: RuleServe,
  { key, variants }: ExistingFlag,
): RuleServe => {
  if ('logic' in wanted) {
    requireValidLogic(wanted.logic, key, '/serve/logic');
    return wanted;
  }
  requireVariants(variants, servedNames(wanted));
  return toServe(wanted, 'logic' in present ? { variant: null } : present);
};

/** A rule as it is stored. `present` is the one that it replaces, whose order of shares stays. @throws DomainError */
export const toRule = (
  { id, description = '', clauses, serve }: NewRule & Readonly<{ id: string }>,
  flag: ExistingFlag,
  present: RuleServe = { variant: null },
): Rule => ({ id, description, clauses, serve: toRuleServe(serve, present, flag) });

/** @throws DomainError `invalid-clause`, `invalid-regex` */
export const requireRuleClauses = (
  { clauses, serve }: Pick<Rule, 'clauses' | 'serve'>,
  where: string,
  ports: ClausePorts,
): void => {
  if (clauses.length === 0 && !('logic' in serve)) {
    throw new DomainError(
      'invalid-clause',
      `${where}: A rule needs a clause; what everyone gets is the fallthrough.`,
    );
  }
  requireValidClauses(clauses, where, ports);
};

/** The event that makes these the rules; none when they are already. @throws DomainError as requireRuleList */
export const rulesChanged = (
  environment: string,
  present: readonly Rule[],
  rules: readonly Rule[],
): readonly FlagEvent[] => {
  requireRuleList(rules);
  return sameJson(present, rules)
    ? []
    : [{ type: 'FlagRulesChanged', data: { environment, rules } }];
};
