import { DomainError } from '../../domain/decider.js';
import {
  type Configuration,
  type FlagType,
  namedVariants,
  typeOfValue,
  usedVariants,
  type Variant,
} from '../../domain/flag/configuration.js';
import { configurationOf, type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { type Project } from '../../domain/project.js';
import { requireEnvironment } from '../project/guards.js';

/** @throws DomainError `flag-not-found` */
export const requireExisting = (flag: Flag, flagKey: string): ExistingFlag => {
  if (flag.status === 'absent') {
    throw new DomainError('flag-not-found', `There is no flag '${flagKey}' in this project.`);
  }
  return flag;
};

/** A flag that is not deleted. @throws DomainError `flag-not-found`, `flag-deleted` */
export const requireLive = (flag: Flag, flagKey: string): ExistingFlag => {
  const existing = requireExisting(flag, flagKey);
  if (existing.status === 'deleted') {
    throw new DomainError('flag-deleted', `Flag '${flagKey}' is deleted; restore it first.`);
  }
  return existing;
};

/** A flag that may be configured. @throws DomainError `flag-archived`, and those of requireLive */
export const requireActive = (flag: Flag, flagKey: string): ExistingFlag => {
  const live = requireLive(flag, flagKey);
  if (live.status === 'archived') {
    throw new DomainError('flag-archived', `Flag '${flagKey}' is archived; unarchive it first.`);
  }
  return live;
};

/** The flag and its configuration in an environment that exists. @throws DomainError */
export const requireConfigurable = (
  flag: Flag,
  project: Project,
  { flagKey, environment }: Readonly<{ flagKey: string; environment: string }>,
): Readonly<{ active: ExistingFlag; configuration: Configuration }> => {
  requireEnvironment(project, environment);
  const active = requireActive(flag, flagKey);
  return { active, configuration: configurationOf(active, environment) };
};

/** @throws DomainError `unknown-variant` */
export const requireVariants = (
  variants: readonly Variant[],
  names: Iterable<string | null>,
): void => {
  for (const name of names) {
    if (name !== null && !variants.some((variant) => variant.name === name)) {
      const known = variants.map((variant) => `'${variant.name}'`).join(', ');
      throw new DomainError(
        'unknown-variant',
        `There is no variant '${name}'; there are ${known}.`,
      );
    }
  }
};

/** Every configuration serves only variants that exist. @throws DomainError `variant-in-use` */
export const requireUsedVariants = (
  variants: readonly Variant[],
  flag: Pick<ExistingFlag, 'defaults' | 'environments'>,
): void => {
  const configurations = Object.entries({ ...flag.environments, ['']: flag.defaults });
  for (const [environment, configuration] of configurations) {
    for (const name of usedVariants(configuration)) {
      if (variants.some((variant) => variant.name === name)) continue;
      const where = environment === '' ? 'the defaults' : `environment '${environment}'`;
      throw new DomainError(
        'variant-in-use',
        `Variant '${name}' is served in ${where}; serve another one there first.`,
      );
    }
  }
};

/**
 * No expression in an environment, but for those that are `replaced`, plainly names a variant that goes.
 * @throws DomainError `variant-in-use`
 */
export const requireUnnamedVariants = (
  flag: ExistingFlag,
  variants: readonly Variant[],
  replaced: readonly string[] = [],
): void => {
  const gone = flag.variants.filter(({ name }) => variants.every((one) => one.name !== name));
  for (const [environment, configuration] of Object.entries(flag.environments)) {
    const named = namedVariants(configuration);
    const used = gone.find(({ name }) => named.has(name));
    if (used === undefined || replaced.includes(environment)) continue;
    throw new DomainError(
      'variant-in-use',
      `Variant '${used.name}' is named by an expression in environment '${environment}'; change that first.`,
    );
  }
};

export const BOOLEAN_VARIANTS: readonly Variant[] = [
  { name: 'on', value: true },
  { name: 'off', value: false },
];

/** At least one variant, unique names, values of the flag's type. @throws DomainError */
export const requireValidVariants = (type: FlagType, variants: readonly Variant[]): void => {
  if (variants.length === 0) {
    throw new DomainError('no-variants', `A flag of type ${type} needs at least one variant.`);
  }
  const names = new Set<string>();
  for (const { name, value } of variants) {
    if (names.has(name)) {
      throw new DomainError('duplicate-variant', `There are two variants named '${name}'.`);
    }
    names.add(name);
    if (typeOfValue(value) !== type) {
      throw new DomainError(
        'variant-type-mismatch',
        `The value of variant '${name}' is not of type ${type}, which this flag serves.`,
      );
    }
  }
};
