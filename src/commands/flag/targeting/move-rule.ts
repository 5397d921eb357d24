import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { moved, type RulePlace } from '../../rules/rule-list.js';
import { requireConfigurable } from '../guards.js';
import { rulesChanged, type RulesPlace } from './new-rule.js';

export type MoveRule = Command<'MoveRule', RulesPlace & { rule: string; place: RulePlace }>;

export const moveRule = (
  { data }: MoveRule,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { rules = [] } = requireConfigurable(flag, project, data).configuration;
  return rulesChanged(data.environment, rules, moved(rules, data.rule, data.place));
};
