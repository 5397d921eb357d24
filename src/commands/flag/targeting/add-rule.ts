import { type Command, DomainError } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { type ClausePorts } from '../../../domain/targeting/valid-clauses.js';
import { withIds } from '../../rules/rule-id.js';
import { inserted, type RulePlace } from '../../rules/rule-list.js';
import { requireConfigurable } from '../guards.js';
import {
  type NewRule,
  requireRuleClauses,
  rulesChanged,
  type RulesPlace,
  toRule,
} from './new-rule.js';

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
