import { type Command } from '../../../domain/decider.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable, requireVariants } from '../guards.js';

/** `null`: no value while disabled, so callers get their code default. */
export type ChangeOffVariant = Command<
  'ChangeOffVariant',
  { projectId: string; flagKey: string; environment: string; offVariant: string | null }
>;

export const changeOffVariant = (
  { data: { offVariant, ...data } }: ChangeOffVariant,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { active, configuration } = requireConfigurable(flag, project, data);
  requireVariants(active.variants, [offVariant]);
  if (configuration.offVariant === offVariant) return [];
  return [{ type: 'FlagOffVariantChanged', data: { environment: data.environment, offVariant } }];
};
