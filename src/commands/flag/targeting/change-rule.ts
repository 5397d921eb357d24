import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { replaced, requireRule } from '../../rules/rule-list.js';
import { requireConfigurable } from '../guards.js';
import {
  type NewRule,
  requireRuleClauses,
  rulesChanged,
  type RulesPlace,
  toRuleServe,
} from './new-rule.js';

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
