import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { without } from '../../rules/rule-list.js';
import { requireConfigurable } from '../guards.js';
import { rulesChanged, type RulesPlace } from './new-rule.js';

export type RemoveRule = Command<'RemoveRule', RulesPlace & { rule: string }>;

export const removeRule = (
  { data }: RemoveRule,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { rules = [] } = requireConfigurable(flag, project, data).configuration;
  return rulesChanged(data.environment, rules, without(rules, data.rule));
};
