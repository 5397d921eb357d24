import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';

export type DisableFlag = Command<
  'DisableFlag',
  { projectId: string; flagKey: string; environment: string }
>;

export const disableFlag = (
  { data }: DisableFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, data);
  return configuration.enabled
    ? [{ type: 'FlagDisabled', data: { environment: data.environment } }]
    : [];
};
