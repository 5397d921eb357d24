import { type Command } from '../../domain/decider.js';
import {
  type Configuration,
  namedVariants,
  usedVariants,
  type Variant,
} from '../../domain/flag/configuration.js';
import { type FlagContent, type FlagEvent, type LiveStatus } from '../../domain/flag/events.js';
import {
  configurationOf,
  contentOf,
  type ExistingFlag,
  type Flag,
} from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { type Project } from '../../domain/project.js';
import { requireEnvironment } from '../project/guards.js';
import { type Snapshot } from '../snapshot.js';
import { requireExisting, requireVariants } from './guards.js';

/** What environments share (variants, salt, metadata, segments): taken back too, or left as it is. */
export type SharedPolicy = 'restore' | 'keep';

/** Makes a flag behave in one environment as it did. `snapshot`: absent when the flag was not there then. */
export type RevertFlagIn = Command<
  'RevertFlagIn',
  {
    projectId: string;
    flagKey: string;
    environment: string;
    snapshot?: Snapshot;
    shared: SharedPolicy;
  }
>;

type Place = Readonly<{ flag: ExistingFlag; environment: string; project: Project }>;
type Configurations = FlagContent['environments'];

/** Without a value, so that applications use their own default, as for a flag that is not there. */
const silence = ({ flag, environment }: Place): readonly FlagEvent[] => {
  if (flag.status === 'deleted') return [];
  const { enabled, offVariant } = configurationOf(flag, environment);
  return [
    ...(enabled && flag.status === 'active'
      ? [{ type: 'FlagDisabled', data: { environment } } as const]
      : []),
    ...(offVariant === null
      ? []
      : [{ type: 'FlagOffVariantChanged', data: { environment, offVariant: null } } as const]),
  ];
};

/** A flag that comes back for one environment stays off in the others, with the value that it had there. */
const offElsewhere = ({ flag, environment, project }: Place): Configurations =>
  Object.fromEntries(
    (project.status === 'absent' ? [] : project.environments)
      .filter(({ key }) => key !== environment)
      .map(({ key }): [string, Configuration] => {
        const { offVariant, ...configuration } = configurationOf(flag, key);
        const served = flag.status === 'deleted' ? null : offVariant;
        return [key, { ...configuration, enabled: false, offVariant: served }];
      }),
  );

/** Variants as they were, and those of today that another environment needs. */
const variantsFor = ({ flag, environment }: Place, was: ExistingFlag): readonly Variant[] => {
  const others = Object.entries({ ...flag.environments, ['']: flag.defaults }).flatMap(
    ([name, configuration]) =>
      name === environment ? [] : [...usedVariants(configuration), ...namedVariants(configuration)],
  );
  const needed = new Set<string | null>(others);
  const known = new Set(was.variants.map(({ name }) => name));
  return [
    ...was.variants,
    ...flag.variants.filter(({ name }) => !known.has(name) && needed.has(name)),
  ];
};

const sharedOf = (place: Place, was: ExistingFlag, shared: SharedPolicy): Partial<FlagContent> =>
  shared === 'keep'
    ? {}
    : { variants: variantsFor(place, was), salt: was.salt, metadata: was.metadata ?? {} };

/** `metadata` is left out when it is empty, as everywhere. */
const contentWith = (flag: ExistingFlag, change: Partial<FlagContent>): FlagContent => {
  const { metadata = {}, ...content } = { ...contentOf(flag), ...change };
  return Object.keys(metadata).length === 0 ? content : { ...content, metadata };
};

/** How it behaved there: an archived flag is off in every environment. */
const configurationThen = (was: ExistingFlag, environment: string): Configuration => {
  const configuration = configurationOf(was, environment);
  return was.status === 'active' ? configuration : { ...configuration, enabled: false };
};

const comeBack = (
  place: Place,
  { flag: was, revision }: Snapshot,
  shared: SharedPolicy,
): readonly FlagEvent[] => {
  const { flag, environment } = place;
  const returns = was.status === 'active' && flag.status !== 'active';
  const status: LiveStatus = returns || flag.status === 'active' ? 'active' : 'archived';
  const configuration = configurationThen(was, environment);
  const content = contentWith(flag, {
    ...sharedOf(place, was, shared),
    environments: {
      ...flag.environments,
      ...(returns && offElsewhere(place)),
      [environment]: configuration,
    },
  });
  requireVariants(content.variants, usedVariants(configuration));
  if (flag.status === status && sameJson(contentOf(flag), content)) return [];
  const data = { content, status, fromRevision: revision };
  return [{ type: flag.status === 'deleted' ? 'FlagRestored' : 'FlagReverted', data }];
};

export const revertFlagIn = (
  { data: { flagKey, environment, snapshot, shared } }: RevertFlagIn,
  flag: Flag,
  project: Project,
): readonly FlagEvent[] => {
  requireEnvironment(project, environment);
  const place = { flag: requireExisting(flag, flagKey), environment, project };
  return snapshot === undefined || snapshot.flag.status === 'deleted'
    ? silence(place)
    : comeBack(place, snapshot, shared);
};
