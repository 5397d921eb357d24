import { type Json, sameJson } from '../json.js';
import {
  type Configuration,
  type Target,
  usedVariants,
  type Variant,
  withoutTargets,
  withTargeting,
  withTargets,
} from './configuration.js';
import {
  type FlagContent,
  type FlagEvent,
  type FlagReverted,
  type FlagTargetsAdded,
  type FlagTargetsRemoved,
  type LiveStatus,
} from './events.js';

/** A flag that exists. A deleted one keeps all it had, and the status it had before. */
export type ExistingFlag = FlagContent &
  (Readonly<{ status: LiveStatus }> | Readonly<{ status: 'deleted'; statusBefore: LiveStatus }>);

export type Flag = Readonly<{ status: 'absent' }> | ExistingFlag;

export const absentFlag: Flag = { status: 'absent' };

/** The configuration that holds in an environment: its own, or the flag's defaults. */
export const configurationOf = (
  flag: Pick<FlagContent, 'defaults' | 'environments'>,
  environment: string,
): Configuration =>
  Object.hasOwn(flag.environments, environment)
    ? (flag.environments[environment] ?? flag.defaults)
    : flag.defaults;

/** Everything but the status, for events that carry a flag's complete state. */
export const contentOf = (flag: FlagContent): FlagContent => ({
  projectId: flag.projectId,
  key: flag.key,
  name: flag.name,
  description: flag.description,
  tags: flag.tags,
  ...(flag.metadata === undefined ? {} : { metadata: flag.metadata }),
  type: flag.type,
  variants: flag.variants,
  salt: flag.salt,
  defaults: flag.defaults,
  environments: flag.environments,
});

const configured = (
  flag: ExistingFlag,
  environment: string,
  change: Partial<Configuration>,
): ExistingFlag => ({
  ...flag,
  environments: {
    ...flag.environments,
    [environment]: { ...configurationOf(flag, environment), ...change },
  },
});

const targeted = (
  flag: ExistingFlag,
  environment: string,
  change: Pick<Configuration, 'rules' | 'prerequisites'>,
): ExistingFlag => {
  const { rules, prerequisites } = { ...configurationOf(flag, environment), ...change };
  const changed = withTargeting(configurationOf(flag, environment), rules, prerequisites);
  return { ...flag, environments: { ...flag.environments, [environment]: changed } };
};

const withoutEmptyMetadata = ({ metadata = {}, ...flag }: ExistingFlag): ExistingFlag =>
  Object.keys(metadata).length === 0 ? flag : { ...flag, metadata };

const live = (flag: FlagContent, status: LiveStatus): ExistingFlag => ({
  ...contentOf(flag),
  status,
});

const targetsAfter = (
  flag: ExistingFlag,
  { type, data }: FlagTargetsAdded | FlagTargetsRemoved,
): readonly Target[] => {
  const { targets } = configurationOf(flag, data.environment);
  return type === 'FlagTargetsAdded'
    ? withTargets(targets, data.targets)
    : withoutTargets(targets, data.targets);
};

/** Configurations with the targets that the flag has in their environments. */
const keepingTargets = (
  environments: FlagContent['environments'],
  flag: FlagContent,
): FlagContent['environments'] =>
  Object.fromEntries(
    Object.entries(environments).map(([environment, configuration]) => [
      environment,
      { ...configuration, targets: configurationOf(flag, environment).targets },
    ]),
  );

const snapshotContent = (
  { content, targetsKept }: FlagReverted['data'],
  flag: FlagContent,
): FlagContent =>
  targetsKept ? { ...content, environments: keepingTargets(content.environments, flag) } : content;

const evolveExisting = (flag: ExistingFlag, event: FlagEvent): ExistingFlag => {
  switch (event.type) {
    case 'FlagCreated':
      return live(event.data, 'active');
    case 'FlagDetailsChanged':
      return withoutEmptyMetadata({ ...flag, ...event.data });
    case 'FlagVariantsChanged':
      return { ...flag, variants: event.data.variants };
    case 'FlagEnabled':
      return configured(flag, event.data.environment, { enabled: true });
    case 'FlagDisabled':
      return configured(flag, event.data.environment, { enabled: false });
    case 'FlagOffVariantChanged':
      return configured(flag, event.data.environment, { offVariant: event.data.offVariant });
    case 'FlagRolloutChanged':
      return configured(flag, event.data.environment, { fallthrough: event.data.fallthrough });
    case 'FlagTargetsChanged':
      return configured(flag, event.data.environment, { targets: event.data.targets });
    case 'FlagTargetsAdded':
    case 'FlagTargetsRemoved':
      return configured(flag, event.data.environment, { targets: targetsAfter(flag, event) });
    case 'FlagRulesChanged':
      return targeted(flag, event.data.environment, { rules: event.data.rules });
    case 'FlagPrerequisitesChanged':
      return targeted(flag, event.data.environment, {
        prerequisites: event.data.prerequisites,
      });
    case 'FlagPromoted': {
      const { to, targetsKept } = event.data;
      const promoted = { [to]: event.data.configuration };
      const own = targetsKept ? keepingTargets(promoted, flag) : promoted;
      return { ...flag, environments: { ...flag.environments, ...own } };
    }
    case 'FlagImported':
      return flag;
    case 'FlagArchived':
      return live(flag, 'archived');
    case 'FlagUnarchived':
      return live(flag, 'active');
    case 'FlagDeleted':
      return flag.status === 'deleted'
        ? flag
        : { ...contentOf(flag), status: 'deleted', statusBefore: flag.status };
    case 'FlagRestored':
    case 'FlagReverted':
      return live(snapshotContent(event.data, flag), event.data.status);
  }
};

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveFlag = (flag: Flag, event: FlagEvent): Flag => {
  if (flag.status !== 'absent') return evolveExisting(flag, event);
  return event.type === 'FlagCreated' ? live(event.data, 'active') : flag;
};

/** Variants that a configuration can serve; what an expression computes may be any. */
const variantsOf = (variants: readonly Variant[], configuration: Configuration): Json => {
  const isComputed = configuration.rules?.some(({ serve }) => 'logic' in serve) === true;
  const used = usedVariants(configuration);
  return variants.flatMap(({ name, value }) =>
    isComputed || used.has(name) ? [[name, value]] : [],
  );
};

type Served = Readonly<{ isOn: boolean; content: Json }>;

/** All of a flag that decides what an environment is served, also while it is off; undefined: there is no such flag. */
const servedIn = (flag: Flag, environment: string): Served | undefined => {
  if (flag.status === 'absent' || flag.status === 'deleted') return undefined;
  const configuration = configurationOf(flag, environment);
  const { type, salt, metadata = {}, variants } = flag;
  const isOn = flag.status === 'active' && configuration.enabled;
  const content = [type, salt, metadata, variantsOf(variants, configuration)];
  return { isOn, content: [...content, { ...configuration, enabled: isOn }] as Json };
};

/**
 * Whether a change of a flag changes what an environment is served. A flag that begins to be there changes nothing
 * while it is off, and neither do its name, description and tags, nor variants that the environment does not use.
 */
export const changesServed = (before: Flag, after: Flag, environment: string): boolean => {
  const [was, is] = [servedIn(before, environment), servedIn(after, environment)];
  if (was === undefined || is === undefined) return was !== undefined || is?.isOn === true;
  return !sameJson(was.content, is.content);
};
