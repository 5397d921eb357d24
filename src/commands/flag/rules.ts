import { type Command, DomainError } from '../../domain/decider.js';
import { requireValidLogic } from '../../domain/evaluation/logic/compile.js';
import { type Rule, type RuleServe } from '../../domain/flag/configuration.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { type Json, sameJson } from '../../domain/json.js';
import { type Project } from '../../domain/project.js';
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
import { requireConfigurable, requireVariants } from './guards.js';
import { type Fallthrough, toServe } from './rollout.js';

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
type RulesPlace = Readonly<{ projectId: string; flagKey: string; environment: string }>;

const servedNames = (serve: Fallthrough): readonly (string | null)[] =>
  'split' in serve ? serve.split.map(({ variant }) => variant) : [serve.variant];

/** What a rule is asked to serve, as it is stored. @throws DomainError as toSplit, `unknown-variant`, `invalid-logic` */
const toRuleServe = (
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
const toRule = (
  { id, description = '', clauses, serve }: NewRule & Readonly<{ id: string }>,
  flag: ExistingFlag,
  present: RuleServe = { variant: null },
): Rule => ({ id, description, clauses, serve: toRuleServe(serve, present, flag) });

/** @throws DomainError `invalid-clause`, `invalid-regex` */
const requireRuleClauses = (
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
const rulesChanged = (
  environment: string,
  present: readonly Rule[],
  rules: readonly Rule[],
): readonly FlagEvent[] => {
  requireRuleList(rules);
  return sameJson(present, rules)
    ? []
    : [{ type: 'FlagRulesChanged', data: { environment, rules } }];
};

export type AddRule = Command<'AddRule', RulesPlace & { rule: NewRule; place: RulePlace }>;

export const addRule =
  (ports: ClausePorts) =>
  ({ data }: AddRule, flag: Flag, project: Project): readonly FlagEvent[] => {
    const { active, configuration } = requireConfigurable(flag, project, data);
    const { rules: present = [] } = configuration;
    const added = withIds([data.rule], present).map((rule) => toRule(rule, active));
    for (const rule of added) {
      if (present.some(({ id }) => id === rule.id))
        throw new DomainError('rule-exists', `There is a rule '${rule.id}' already.`);
      requireRuleClauses(rule, `rule '${rule.id}'`, ports);
    }
    const rules = added.reduce((list, rule) => inserted(list, rule, data.place), present);
    return rulesChanged(data.environment, present, rules);
  };

/** What is left out stays as it is. */
export type ChangeRule = Command<
  'ChangeRule',
  RulesPlace & { rule: string; change: Partial<Omit<NewRule, 'id'>> }
>;

export const changeRule =
  (ports: ClausePorts) =>
  ({ data }: ChangeRule, flag: Flag, project: Project): readonly FlagEvent[] => {
    const { active, configuration } = requireConfigurable(flag, project, data);
    const { rules: present = [] } = configuration;
    const { serve, ...words } = data.change;
    const old = requireRule(present, data.rule);
    const served = serve === undefined ? old.serve : toRuleServe(serve, old.serve, active);
    const rule = { ...old, ...words, serve: served };
    requireRuleClauses(rule, `rule '${rule.id}'`, ports);
    return rulesChanged(data.environment, present, replaced(present, rule));
  };

export type MoveRule = Command<'MoveRule', RulesPlace & { rule: string; place: RulePlace }>;

export const moveRule = (
  { data }: MoveRule,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { rules = [] } = requireConfigurable(flag, project, data).configuration;
  return rulesChanged(data.environment, rules, moved(rules, data.rule, data.place));
};

export type RemoveRule = Command<'RemoveRule', RulesPlace & { rule: string }>;

export const removeRule = (
  { data }: RemoveRule,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { rules = [] } = requireConfigurable(flag, project, data).configuration;
  return rulesChanged(data.environment, rules, without(rules, data.rule));
};

/** The whole new list, in the order in which they are tried. */
export type ReplaceRules = Command<'ReplaceRules', RulesPlace & { rules: readonly NewRule[] }>;

export const replaceRules =
  (ports: ClausePorts) =>
  ({ data }: ReplaceRules, flag: Flag, project: Project): readonly FlagEvent[] => {
    const { active, configuration } = requireConfigurable(flag, project, data);
    const { rules: present = [] } = configuration;
    const rules = withIds(data.rules, []).map((rule) => {
      const old = present.find(({ id }) => id === rule.id);
      return toRule(rule, active, old?.serve);
    });
    for (const [index, rule] of rules.entries()) requireRuleClauses(rule, `rules[${index}]`, ports);
    return rulesChanged(data.environment, present, rules);
  };
