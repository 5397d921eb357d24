import { type Command, DomainError } from '../../../domain/decider.js';
import { type Configuration } from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { configurationOf, type Flag } from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type MergeBase } from '../../../domain/merge-base.js';
import { type Project } from '../../../domain/project/project.js';
import { requireConfigurable } from '../guards.js';

/** Makes a flag behave in environment `to` as it does in `from`. */
export type PromoteFlag = Command<
  'PromoteFlag',
  {
    projectId: string;
    flagKey: string;
    from: string;
    to: string;
    /** What comes of both, the configuration in `to` that it was made for, and what to remember. Absent: that of `from`. */
    merged?: Readonly<{ configuration: Configuration; seen: Configuration; fields: MergeBase }>;
  }
>;

export const promoteFlag = (
  { data: { flagKey, from, to, merged } }: PromoteFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration: source } = requireConfigurable(flag, project, {
    flagKey,
    environment: from,
  });
  const { active } = requireConfigurable(flag, project, { flagKey, environment: to });
  const present = configurationOf(active, to);
  if (merged !== undefined && !sameJson(merged.seen, present)) {
    throw new DomainError(
      'concurrent-change',
      `Flag '${flagKey}' was changed in '${to}' just now.`,
    );
  }
  const { configuration, ...remembered } = merged ?? { configuration: source };
  if (sameJson(present, configuration)) return [];
  const fields = 'fields' in remembered ? { fields: remembered.fields } : {};
  return [{ type: 'FlagPromoted', data: { from, to, configuration, ...fields } }];
};
