import { type Command } from '../../../domain/decider.js';
import { type Serve } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable, requireVariants } from '../guards.js';
import { type Share, toSplit } from '../split.js';

/** What everyone gets whom no target or rule catches: one variant (`null`: the code default), or a split. */
export type Fallthrough =
  | Readonly<{ variant: string | null }>
  | Readonly<{ split: readonly Share[]; bucketBy?: string; salt?: string }>;

export type ChangeRollout = Command<
  'ChangeRollout',
  { projectId: string; flagKey: string; environment: string; fallthrough: Fallthrough }
>;

/** As it is stored. @throws DomainError as toSplit */
export const toServe = (wanted: Fallthrough, present: Serve): Serve =>
  'split' in wanted ? { split: toSplit(wanted.split, present, wanted) } : wanted;

export const changeRollout = (
  { data }: ChangeRollout,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { active, configuration } = requireConfigurable(flag, project, data);
  const { environment, fallthrough: wanted } = data;
  const names = 'split' in wanted ? wanted.split.map(({ variant }) => variant) : [wanted.variant];
  requireVariants(active.variants, names);
  const fallthrough = toServe(wanted, configuration.fallthrough);
  if (sameJson(configuration.fallthrough, fallthrough)) return [];
  return [{ type: 'FlagRolloutChanged', data: { environment, fallthrough } }];
};
