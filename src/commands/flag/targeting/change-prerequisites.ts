import { type Command, DomainError } from '../../../domain/decider.js';
import { type Prerequisite } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';

/** The whole new list; all of them must be met. That the flags and variants exist is checked before the append. */
export type ChangePrerequisites = Command<
  'ChangePrerequisites',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    prerequisites: readonly Prerequisite[];
  }
>;

/** @throws DomainError `duplicate-prerequisite` */
const requireDifferent = (prerequisites: readonly Prerequisite[]): void => {
  const keys = new Set<string>();
  for (const { flagKey } of prerequisites) {
    if (keys.has(flagKey)) {
      throw new DomainError(
        'duplicate-prerequisite',
        `Flag '${flagKey}' is named twice; name all variants that will do in one prerequisite.`,
      );
    }
    keys.add(flagKey);
  }
};

export const changePrerequisites = (
  { data }: ChangePrerequisites,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { prerequisites: present = [] } = requireConfigurable(flag, project, data).configuration;
  requireDifferent(data.prerequisites);
  const prerequisites = data.prerequisites.map(({ flagKey, variants }) => ({
    flagKey,
    variants: [...new Set(variants)],
  }));
  if (sameJson(present, prerequisites)) return [];
  const { environment } = data;
  return [{ type: 'FlagPrerequisitesChanged', data: { environment, prerequisites } }];
};
