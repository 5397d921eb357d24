import { type Command, DomainError } from '../../domain/decider.js';
import {
  type Configuration,
  type FlagType,
  type Variant,
  withTargeting,
} from '../../domain/flag/configuration.js';
import { type FlagCreated, type FlagEvent, type FlagMetadata } from '../../domain/flag/events.js';
import {
  absentFlag,
  configurationOf,
  contentOf,
  evolveFlag,
  type ExistingFlag,
  type Flag,
} from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { type MergeBase } from '../../domain/merge-base.js';
import { type Project } from '../../domain/project.js';
import { requireEnvironment } from '../project/guards.js';
import {
  requireActive,
  requireUnnamedVariants,
  requireUsedVariants,
  requireValidVariants,
} from './guards.js';
import { refuseTaken } from './lifecycle.js';

/** What a file can say of a flag in one environment. */
export type ImportedConfiguration = Pick<
  Configuration,
  'enabled' | 'fallthrough' | 'targets' | 'rules'
>;

/** Makes a flag what a definition file says; what is not given stays. */
export type ImportFlag = Command<
  'ImportFlag',
  {
    projectId: string;
    flagKey: string;
    type: FlagType;
    variants: readonly Variant[];
    description?: string;
    metadata?: FlagMetadata;
    /** By environment. A flag that is made has it as its defaults elsewhere, disabled. */
    environments: Readonly<Record<string, Partial<ImportedConfiguration>>>;
    /** For the next import to compare with. Absent: nothing new. */
    fields?: MergeBase;
  }
>;

const created = ({ data }: ImportFlag): FlagCreated => {
  const { projectId, flagKey: key, description = '', metadata, type, variants } = data;
  const configured = ({
    enabled = false,
    fallthrough = { variant: null },
    targets = [],
    rules,
  }: Partial<ImportedConfiguration> = {}): Configuration =>
    withTargeting({ enabled, offVariant: null, fallthrough, targets }, rules);
  const [first] = Object.values(data.environments);
  const defaults = { ...configured(first), enabled: false };
  const environments = Object.fromEntries(
    Object.entries(data.environments).map(([name, own]) => [name, configured(own)]),
  );
  const about = metadata === undefined ? {} : { metadata };
  const details = { projectId, key, name: key, description, tags: [], ...about, type, variants };
  return { type: 'FlagCreated', data: { ...details, salt: key, defaults, environments } };
};

/** The flag that an import makes where there is none. */
export const flagMadeBy = (command: ImportFlag): ExistingFlag => ({
  ...contentOf(created(command).data),
  status: 'active',
});

const changedIn = (
  environment: string,
  change: Partial<ImportedConfiguration>,
  flag: ExistingFlag,
): FlagEvent[] => {
  const present = configurationOf(flag, environment);
  const wanted = { ...present, rules: present.rules ?? [], ...change };
  const { enabled, targets, rules, fallthrough } = wanted;
  const events: FlagEvent[] = [];
  if (!sameJson(present.targets, targets)) {
    events.push({ type: 'FlagTargetsChanged', data: { environment, targets } });
  }
  if (!sameJson(present.rules ?? [], rules)) {
    events.push({ type: 'FlagRulesChanged', data: { environment, rules } });
  }
  if (!sameJson(present.fallthrough, fallthrough)) {
    events.push({ type: 'FlagRolloutChanged', data: { environment, fallthrough } });
  }
  return present.enabled === enabled
    ? events
    : [...events, { type: enabled ? 'FlagEnabled' : 'FlagDisabled', data: { environment } }];
};

const changedDetails = ({ data }: ImportFlag, flag: ExistingFlag): readonly FlagEvent[] => {
  const { description = flag.description, metadata = flag.metadata } = data;
  const isSame = description === flag.description && sameJson(metadata ?? {}, flag.metadata ?? {});
  if (isSame) return [];
  const { name, tags } = flag;
  const about = metadata === undefined ? {} : { metadata };
  return [{ type: 'FlagDetailsChanged', data: { name, description, tags, ...about } }];
};

const changed = (command: ImportFlag, flag: ExistingFlag): readonly FlagEvent[] => {
  const { type, variants, environments } = command.data;
  if (type !== flag.type) {
    throw new DomainError(
      'flag-type-differs',
      `Flag '${flag.key}' is of type ${flag.type} and the file has type ${type}; a flag's type never changes.`,
    );
  }
  const replaced = Object.entries(environments).filter(([, { rules }]) => rules !== undefined);
  requireUnnamedVariants(
    flag,
    variants,
    replaced.map(([key]) => key),
  );
  const events: FlagEvent[] = [...changedDetails(command, flag)];
  if (!sameJson(flag.variants, variants)) {
    events.push({ type: 'FlagVariantsChanged', data: { variants } });
  }
  return Object.entries(environments).reduce(
    (all, [key, change]) => all.concat(changedIn(key, change, flag)),
    events,
  );
};

export const importFlag = (
  command: ImportFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { data } = command;
  const { flagKey, variants, environments, fields } = data;
  for (const environment of Object.keys(environments)) requireEnvironment(project, environment);
  requireValidVariants(data.type, variants);
  if (flag.status === 'deleted') refuseTaken(flag);
  const events =
    flag.status === 'absent' ? [created(command)] : changed(command, requireActive(flag, flagKey));
  const after = events.reduce<Flag>(evolveFlag, flag.status === 'absent' ? absentFlag : flag);
  if (after.status !== 'absent') requireUsedVariants(variants, after);
  return fields === undefined ? events : [...events, { type: 'FlagImported', data: { fields } }];
};
