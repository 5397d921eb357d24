import { type Json, sameJson } from '../json.js';
import { type Configuration, usedVariants, type Variant } from './configuration.js';
import { configurationOf, type Flag } from './flag.js';

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
