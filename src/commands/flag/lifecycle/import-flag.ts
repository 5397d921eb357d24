import { type Command, DomainError } from '../../../domain/decider.js';
import {
  type Configuration,
  type FlagType,
  type Rule,
  type Serve,
  type Variant,
  withTargeting,
} from '../../../domain/flag/configuration.js';
import { type FlagEvent, type FlagMetadata } from '../../../domain/flag/events.js';
import {
  absentFlag,
  configurationOf,
  evolveFlag,
  type ExistingFlag,
  type Flag,
} from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireActive, requireUnnamedVariants, requireUsedVariants } from '../guards.js';
import { requireEnvironment } from '../../project/guards.js';
import { requireValidVariants } from '../variants.js';
import { refuseTaken } from './create-flag.js';

/** Makes a flag what a definition file says, in these environments; what the file does not speak of stays. */
export type ImportFlag = Command<
  'ImportFlag',
  {
    projectId: string;
    flagKey: string;
    description?: string;
    metadata?: FlagMetadata;
    type: FlagType;
    variants: readonly Variant[];
    enabled: boolean;
    rules: readonly Rule[];
    fallthrough: Serve;
    environments: readonly string[];
  }
>;

const created = ({ data }: ImportFlag): readonly FlagEvent[] => {
  const { projectId, flagKey: key, description = '', metadata, type, variants } = data;
  const { enabled, fallthrough, rules } = data;
  const plain: Configuration = { enabled: false, offVariant: null, fallthrough, targets: [] };
  const defaults = withTargeting(plain, rules);
  const environments = Object.fromEntries(
    data.environments.map((environment) => [environment, { ...defaults, enabled }]),
  );
  const about = metadata === undefined ? {} : { metadata };
  const details = { projectId, key, name: key, description, tags: [], ...about, type, variants };
  return [{ type: 'FlagCreated', data: { ...details, salt: key, defaults, environments } }];
};

const changedIn = (environment: string, { data }: ImportFlag, flag: ExistingFlag): FlagEvent[] => {
  const { enabled, rules, fallthrough } = data;
  const present = configurationOf(flag, environment);
  const events: FlagEvent[] = [];
  if (!sameJson(present.rules ?? [], rules)) {
    events.push({ type: 'FlagRulesChanged', data: { environment, rules } });
  }
  if (!sameJson(present.fallthrough, fallthrough)) {
    events.push({ type: 'FlagRolloutChanged', data: { environment, fallthrough } });
  }
  if (present.enabled !== enabled) {
    events.push({ type: enabled ? 'FlagEnabled' : 'FlagDisabled', data: { environment } });
  }
  return events;
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
  requireUnnamedVariants(flag, variants, environments);
  const events: FlagEvent[] = [...changedDetails(command, flag)];
  if (!sameJson(flag.variants, variants)) {
    events.push({ type: 'FlagVariantsChanged', data: { variants } });
  }
  return events.concat(environments.flatMap((key) => changedIn(key, command, flag)));
};

export const importFlag = (
  command: ImportFlag,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  const { flagKey, type, variants, environments } = command.data;
  for (const environment of environments) requireEnvironment(project, environment);
  requireValidVariants(type, variants);
  if (flag.status === 'deleted') refuseTaken(flag);
  const events =
    flag.status === 'absent' ? created(command) : changed(command, requireActive(flag, flagKey));
  const after = events.reduce<Flag>(evolveFlag, flag.status === 'absent' ? absentFlag : flag);
  if (after.status !== 'absent') requireUsedVariants(variants, after);
  return events;
};
