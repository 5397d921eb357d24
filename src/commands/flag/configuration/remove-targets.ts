import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';
import { changeTargets } from './change-targets.js';

/** These targeting keys are targeted individually no more. */
export type RemoveTargets = Command<
  'RemoveTargets',
  { projectId: string; flagKey: string; environment: string; keys: readonly string[] }
>;

export const removeTargets = (
  { data: { keys, ...data } }: RemoveTargets,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, data);
  const removed = new Set(keys);
  const targets = configuration.targets.map((target) => ({
    ...target,
    keys: target.keys.filter((key) => !removed.has(key)),
  }));
  return changeTargets({ type: 'ChangeTargets', data: { ...data, targets } }, flag, project);
};
