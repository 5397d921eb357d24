import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { configurationOf, type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';

/** Makes a flag behave in environment `to` as it does in `from`. */
export type PromoteFlag = Command<
  'PromoteFlag',
  { projectId: string; flagKey: string; from: string; to: string }
>;

export const promoteFlag = (
  { data: { flagKey, from, to } }: PromoteFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, { flagKey, environment: from });
  const { active } = requireConfigurable(flag, project, { flagKey, environment: to });
  if (sameJson(configurationOf(active, to), configuration)) return [];
  return [{ type: 'FlagPromoted', data: { from, to, configuration } }];
};
