import { type Command, DomainError } from '../../../domain/decider.js';
import {
  type Configuration,
  type FlagType,
  type Serve,
  type Variant,
} from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import {
  absentFlag,
  configurationOf,
  evolveFlag,
  type ExistingFlag,
  type Flag,
} from '../../../domain/flag/flag.js';
import { sameJson } from '../../../domain/json.js';
import { type Project } from '../../../domain/project/project.js';
import { requireActive, requireUsedVariants, requireVariants } from '../guards.js';
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
    type: FlagType;
    variants: readonly Variant[];
    enabled: boolean;
    fallthrough: Serve;
    environments: readonly string[];
  }
>;

const created = ({ data }: ImportFlag): readonly FlagEvent[] => {
  const { projectId, flagKey: key, description = '', type, variants, enabled, fallthrough } = data;
  const defaults: Configuration = { enabled: false, offVariant: null, fallthrough, targets: [] };
  const environments = Object.fromEntries(
    data.environments.map((environment) => [environment, { ...defaults, enabled }]),
  );
  const details = { projectId, key, name: key, description, tags: [], type, variants, salt: key };
  return [{ type: 'FlagCreated', data: { ...details, defaults, environments } }];
};

const changedIn = (environment: string, { data }: ImportFlag, flag: ExistingFlag): FlagEvent[] => {
  const { enabled, fallthrough } = data;
  const present = configurationOf(flag, environment);
  const events: FlagEvent[] = [];
  if (!sameJson(present.fallthrough, fallthrough)) {
    events.push({ type: 'FlagRolloutChanged', data: { environment, fallthrough } });
  }
  if (present.enabled !== enabled) {
    events.push({ type: enabled ? 'FlagEnabled' : 'FlagDisabled', data: { environment } });
  }
  return events;
};

const changed = (command: ImportFlag, flag: ExistingFlag): readonly FlagEvent[] => {
  const { description = flag.description, type, variants, environments } = command.data;
  if (type !== flag.type) {
    throw new DomainError(
      'flag-type-differs',
      `Flag '${flag.key}' is of type ${flag.type} and the file has type ${type}; a flag's type never changes.`,
    );
  }
  const events: FlagEvent[] = [];
  if (description !== flag.description) {
    const { name, tags } = flag;
    events.push({ type: 'FlagDetailsChanged', data: { name, description, tags } });
  }
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
  const { flagKey, type, variants, fallthrough, environments } = command.data;
  for (const environment of environments) requireEnvironment(project, environment);
  requireValidVariants(type, variants);
  requireVariants(variants, 'split' in fallthrough ? [] : [fallthrough.variant]);
  if (flag.status === 'deleted') refuseTaken(flag);
  const events =
    flag.status === 'absent' ? created(command) : changed(command, requireActive(flag, flagKey));
  const after = events.reduce<Flag>(evolveFlag, flag.status === 'absent' ? absentFlag : flag);
  if (after.status !== 'absent') requireUsedVariants(variants, after);
  return events;
};
