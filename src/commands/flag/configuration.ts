import { type Command, DomainError } from '../../domain/decider.js';
import { type Configuration, type Variant } from '../../domain/flag/configuration.js';
import { type FlagEvent, type FlagMetadata } from '../../domain/flag/events.js';
import { configurationOf, type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { type MergeBase } from '../../domain/merge-base.js';
import { type Project } from '../../domain/project.js';
import {
  requireActive,
  requireConfigurable,
  requireUnnamedVariants,
  requireUsedVariants,
  requireValidVariants,
  requireVariants,
} from './guards.js';

type Details = Pick<ExistingFlag, 'name' | 'description' | 'tags'>;

/** What is left out stays as it is. */
export type ChangeFlagDetails = Command<
  'ChangeFlagDetails',
  {
    projectId: string;
    flagKey: string;
    name?: string;
    description?: string;
    tags?: readonly string[];
    /** The whole new set; an empty one removes it. */
    metadata?: FlagMetadata;
  }
>;

const detailsOf = ({ name, description, tags }: Details) => ({ name, description, tags });

export const changeFlagDetails = (
  { data: { projectId: _, flagKey, tags, metadata, ...words } }: ChangeFlagDetails,
  flag: Flag,
): readonly FlagEvent[] => {
  const active = requireActive(flag, flagKey);
  const present = detailsOf(active);
  const wanted = { ...present, ...words, ...(tags && { tags: [...new Set(tags)] }) };
  const isOther = metadata !== undefined && !sameJson(active.metadata ?? {}, metadata);
  if (sameJson(present, wanted) && !isOther) return [];
  return [{ type: 'FlagDetailsChanged', data: { ...wanted, ...(isOther && { metadata }) } }];
};

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

/** The whole new list. A variant that is served somewhere cannot be left out. */
export type ChangeVariants = Command<
  'ChangeVariants',
  { projectId: string; flagKey: string; variants: readonly Variant[] }
>;

export const changeVariants = ({ data }: ChangeVariants, flag: Flag): readonly FlagEvent[] => {
  const active = requireActive(flag, data.flagKey);
  requireValidVariants(active.type, data.variants);
  requireUsedVariants(data.variants, active);
  requireUnnamedVariants(active, data.variants);
  return sameJson(active.variants, data.variants)
    ? []
    : [{ type: 'FlagVariantsChanged', data: { variants: data.variants } }];
};

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

export type EnableFlag = Command<
  'EnableFlag',
  { projectId: string; flagKey: string; environment: string }
>;

export const enableFlag = (
  { data }: EnableFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { configuration } = requireConfigurable(flag, project, data);
  return configuration.enabled
    ? []
    : [{ type: 'FlagEnabled', data: { environment: data.environment } }];
};

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
