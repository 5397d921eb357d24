import { type FlagType, type Serve, type Variant } from '../../domain/flag/configuration.js';
import { DomainError } from '../../domain/decider.js';
import { type Json, type JsonObject } from '../../domain/json.js';
import { typeOfValue } from '../flag/variants.js';
import { parseTargeting } from './parse-targeting.js';
import { isObject, refuseAt } from './place.js';

/** What one entry of a flagd file says about a flag, in our terms. */
export type FlagDefinition = Readonly<{
  description?: string;
  type: FlagType;
  variants: readonly Variant[];
  enabled: boolean;
  fallthrough: Serve;
}>;

/** One entry of the file: its key, and what it says or why it cannot be taken. */
export type ParsedFlag = Readonly<{ key: string }> &
  (Readonly<{ definition: FlagDefinition }> | Readonly<{ refusal: DomainError }>);

const FLAG_PROPERTIES = ['state', 'variants', 'defaultVariant', 'targeting', 'description'];

const VARIANT_NAME = /^[^\p{Cc}]{1,100}$/u;

const parseState = (state: Json | undefined, place: string): boolean => {
  if (state === 'ENABLED') return true;
  if (state === 'DISABLED') return false;
  return refuseAt(`${place}/state`, 'must be "ENABLED" or "DISABLED"');
};

const parseVariants = (variants: Json | undefined, place: string): readonly Variant[] => {
  if (!isObject(variants) || Object.keys(variants).length === 0) {
    return refuseAt(`${place}/variants`, 'must be an object with at least one variant');
  }
  return Object.entries(variants).map(([name, value]) => {
    if (!VARIANT_NAME.test(name)) {
      refuseAt(
        `${place}/variants`,
        `has a name of no or over 100 characters: "${name.slice(0, 20)}"`,
      );
    }
    return { name, value };
  });
};

const parseType = (variants: readonly Variant[], place: string): FlagType => {
  const types = new Set(variants.map(({ value }) => typeOfValue(value)));
  const [type] = types;
  return type === undefined || types.size > 1
    ? refuseAt(`${place}/variants`, 'must all be booleans, all strings, all numbers or all objects')
    : type;
};

const parseDefault = (
  variant: Json | undefined,
  variants: readonly Variant[],
  place: string,
): string | null => {
  if (variant === undefined || variant === null) return null;
  return typeof variant === 'string' && variants.some(({ name }) => name === variant)
    ? variant
    : refuseAt(`${place}/defaultVariant`, 'must name one of the variants, or be null');
};

const parseDescription = (
  description: Json | undefined,
  place: string,
): { description?: string } => {
  if (description === undefined) return {};
  return typeof description === 'string'
    ? { description }
    : refuseAt(`${place}/description`, 'must be a string');
};

const isEmptyTargeting = (targeting: Json | undefined): targeting is undefined | null =>
  targeting === undefined ||
  targeting === null ||
  (isObject(targeting) && Object.keys(targeting).length === 0);

const parseFallthrough = (
  flagKey: string,
  flag: JsonObject,
  variants: readonly Variant[],
  place: string,
): Serve => {
  const variant = parseDefault(flag['defaultVariant'], variants, place);
  const targeting = flag['targeting'];
  if (isEmptyTargeting(targeting)) return { variant };
  const serve = parseTargeting(targeting, { flagKey, place: `${place}/targeting` });
  const names = 'split' in serve ? serve.split.weights.map((share) => share.variant) : [];
  const unknown = names.find((name) => !variants.some((known) => known.name === name));
  return unknown === undefined
    ? serve
    : refuseAt(`${place}/targeting`, `serves "${unknown}", which is not one of the variants`);
};

const parseFlag = (key: string, flag: Json): FlagDefinition => {
  const place = `/flags/${key}`;
  if (!isObject(flag)) return refuseAt(place, 'must be an object');
  const unknown = Object.keys(flag).find((property) => !FLAG_PROPERTIES.includes(property));
  if (unknown !== undefined) refuseAt(`${place}/${unknown}`, 'cannot be kept by this version');
  const variants = parseVariants(flag['variants'], place);
  return {
    ...parseDescription(flag['description'], place),
    type: parseType(variants, place),
    variants,
    enabled: parseState(flag['state'], place),
    fallthrough: parseFallthrough(key, flag, variants, place),
  };
};

/**
 * A file in flagd's flag definition format (flagd.dev/schema/v0/flags.json), flag by flag in the file's order.
 * @throws DomainError `invalid-flagd-file` when it is no such file at all
 */
export const parseFlagd = (file: JsonObject): readonly ParsedFlag[] => {
  const { flags } = file as { flags?: Json };
  if (flags === undefined || !isObject(flags)) {
    throw new DomainError('invalid-flagd-file', '/flags must be an object of flag definitions.');
  }
  return Object.entries(flags).map(([key, flag]) => {
    try {
      return { key, definition: parseFlag(key, flag) };
    } catch (error) {
      if (error instanceof DomainError) return { key, refusal: error };
      throw error;
    }
  });
};
