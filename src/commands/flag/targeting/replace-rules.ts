import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { withIds } from '../../rules/rule-id.js';
import { requireConfigurable } from '../guards.js';
import {
  type NewRule,
  requireRuleClauses,
  rulesChanged,
  type RulesPlace,
  toRule,
} from './new-rule.js';

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
