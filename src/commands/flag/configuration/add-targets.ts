import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';
import { changeTargets } from './change-targets.js';

/** Gives these targeting keys one variant, whatever they were given before. */
export type AddTargets = Command<
  'AddTargets',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    variant: string;
    keys: readonly string[];
  }
>;

export const addTargets = (
  { data: { variant, keys, ...data } }: AddTargets,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, data);
  const moved = new Set(keys);
  const others = configuration.targets.map((target) =>
    target.variant === variant
      ? target
      : { ...target, keys: target.keys.filter((key) => !moved.has(key)) },
  );
  const targets = [...others, { variant, keys }];
  return changeTargets({ type: 'ChangeTargets', data: { ...data, targets } }, flag, project);
};
