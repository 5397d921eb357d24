import { type Command, DomainError } from '../../domain/decider.js';
import {
  type Configuration,
  type FlagType,
  usedVariants,
  type Variant,
} from '../../domain/flag/configuration.js';
import { type FlagContent, type FlagEvent } from '../../domain/flag/events.js';
import {
  configurationOf,
  contentOf,
  type ExistingFlag,
  type Flag,
} from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { type Project } from '../../domain/project.js';
import { requireEnvironment } from '../project/guards.js';
import { type Snapshot, snapshotEventData } from '../snapshot.js';
import {
  BOOLEAN_VARIANTS,
  requireExisting,
  requireLive,
  requireValidVariants,
  requireVariants,
} from './guards.js';

/** An archived flag serves its off variant everywhere and cannot be configured. */
export type ArchiveFlag = Command<'ArchiveFlag', { projectId: string; flagKey: string }>;

export const archiveFlag = ({ data }: ArchiveFlag, flag: Flag): readonly FlagEvent[] =>
  requireLive(flag, data.flagKey).status === 'archived' ? [] : [{ type: 'FlagArchived', data: {} }];

/** A new flag is disabled everywhere. Enabled, it serves `defaultVariant`; disabled, `offVariant`. */
export type CreateFlag = Command<
  'CreateFlag',
  {
    projectId: string;
    flagKey: string;
    type: FlagType;
    name?: string;
    description?: string;
    tags?: readonly string[];
    /** Default for boolean flags: on (true) and off (false). */
    variants?: readonly Variant[];
    /** Default: the first variant. */
    defaultVariant?: string;
    /** Default: the variant `false` of a boolean flag, else none, so the caller's code default. */
    offVariant?: string | null;
    salt?: string;
  }
>;

/** @throws DomainError `flag-exists`, with a pointer to restore when it is deleted */
export const refuseTaken = (flag: ExistingFlag): never => {
  throw flag.status === 'deleted'
    ? new DomainError(
        'flag-exists-deleted',
        `Flag '${flag.key}' exists and is deleted. A key is never reused: restore the flag, or choose another key.`,
      )
    : new DomainError('flag-exists', `Flag '${flag.key}' exists already.`);
};

const defaultsOf = (
  { type, defaultVariant, offVariant }: CreateFlag['data'],
  variants: readonly Variant[],
): Configuration => {
  const falseVariant = variants.find(({ value }) => type === 'boolean' && value === false);
  const defaults: Configuration = {
    enabled: false,
    offVariant: offVariant === undefined ? (falseVariant?.name ?? null) : offVariant,
    fallthrough: { variant: defaultVariant ?? variants[0]?.name ?? null },
    targets: [],
  };
  requireVariants(variants, [defaults.offVariant, defaultVariant ?? null]);
  return defaults;
};

export const createFlag = ({ data }: CreateFlag, flag: Flag): readonly FlagEvent[] => {
  if (flag.status !== 'absent') refuseTaken(flag);
  const { projectId, flagKey: key, type, name = key, description = '', salt = key } = data;
  const variants = data.variants ?? (type === 'boolean' ? BOOLEAN_VARIANTS : []);
  requireValidVariants(type, variants);
  const defaults = defaultsOf(data, variants);
  const tags = [...new Set(data.tags)];
  const content = { projectId, key, name, description, tags, type, variants, salt, defaults };
  return [{ type: 'FlagCreated', data: { ...content, environments: {} } }];
};

/** A new flag with another's complete configuration; its own key is its salt, so users fall anew. */
export type CopyFlag = Command<
  'CopyFlag',
  {
    projectId: string;
    flagKey: string;
    name?: string;
    source: Readonly<{ content: FlagContent; revision: number }>;
  }
>;

export const copyFlag = (
  { data: { projectId, flagKey, name, source } }: CopyFlag,
  flag: Flag,
): readonly FlagEvent[] => {
  if (flag.status !== 'absent') refuseTaken(flag);
  const { content, revision } = source;
  const copiedFrom = { projectId: content.projectId, flagKey: content.key, revision };
  const own = { projectId, key: flagKey, name: name ?? content.name, salt: flagKey };
  return [{ type: 'FlagCreated', data: { ...content, ...own, copiedFrom } }];
};

/** The flag keeps its key and its history, is no longer evaluated, and can be restored. */
export type DeleteFlag = Command<'DeleteFlag', { projectId: string; flagKey: string }>;

export const deleteFlag = ({ data }: DeleteFlag, flag: Flag): readonly FlagEvent[] =>
  requireExisting(flag, data.flagKey).status === 'deleted'
    ? []
    : [{ type: 'FlagDeleted', data: {} }];

/** Brings a deleted flag back, as it was at `snapshot`. */
export type RestoreFlag = Command<
  'RestoreFlag',
  { projectId: string; flagKey: string; snapshot: Snapshot }
>;

export const restoreFlag = ({ data }: RestoreFlag, flag: Flag): readonly FlagEvent[] => {
  if (requireExisting(flag, data.flagKey).status !== 'deleted') {
    throw new DomainError(
      'flag-not-deleted',
      `Flag '${data.flagKey}' is not deleted; to change it back, revert it.`,
    );
  }
  return [{ type: 'FlagRestored', data: snapshotEventData(data.snapshot) }];
};

/** Makes a live flag what it was at `snapshot`; with `environment`, only its configuration there. */
export type RevertFlag = Command<
  'RevertFlag',
  { projectId: string; flagKey: string; snapshot: Snapshot; environment?: string }
>;

type Reverted = ReturnType<typeof snapshotEventData>;

const onlyIn = (
  environment: string,
  live: ExistingFlag,
  { flag, revision }: Snapshot,
): Reverted => {
  const configuration = configurationOf(flag, environment);
  requireVariants(live.variants, usedVariants(configuration));
  const environments = { ...live.environments, [environment]: configuration };
  return snapshotEventData({ flag: { ...live, environments }, revision });
};

export const revertFlag = (
  { data: { flagKey, snapshot, environment } }: RevertFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const live = requireLive(flag, flagKey);
  if (environment !== undefined) requireEnvironment(project, environment);
  const data =
    environment === undefined ? snapshotEventData(snapshot) : onlyIn(environment, live, snapshot);
  return live.status === data.status && sameJson(contentOf(live), data.content)
    ? []
    : [{ type: 'FlagReverted', data }];
};

export type UnarchiveFlag = Command<'UnarchiveFlag', { projectId: string; flagKey: string }>;

export const unarchiveFlag = ({ data }: UnarchiveFlag, flag: Flag): readonly FlagEvent[] =>
  requireLive(flag, data.flagKey).status === 'active' ? [] : [{ type: 'FlagUnarchived', data: {} }];
