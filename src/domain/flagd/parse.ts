import { DomainError } from '../decider.js';
import { requireValidLogic } from '../evaluation/logic/compile.js';
import { type FlagType, typeOfValue, type Variant } from '../flag/configuration.js';
import { type FlagMetadata } from '../flag/events.js';
import { type Json, type JsonObject } from '../json.js';
import { type ExistingProject } from '../project.js';
import { NO_SEGMENTS, type SegmentKeys } from './condition.js';
import { type Evaluators, evaluatorsOf, withEvaluators } from './evaluators.js';
import { type WrittenFlag } from './export.js';
import { exactTargeting, mapTargeting } from './map-targeting.js';
import { type Targeting } from './outcome.js';
import { isObject, refuseAt } from './place.js';

/** The parts of a file in flagd's flag definition format (flagd.dev/schema/v0/flags.json). */
export type FlagdFile = Readonly<{
  flags: JsonObject;
  evaluators: Evaluators;
  /** Metadata of the whole set; nothing here belongs to it. */
  metadata: JsonObject | undefined;
}>;

const objectOrNothing = (value: Json | undefined): JsonObject | undefined =>
  isObject(value) ? value : undefined;

/** The environment of this project that a file was exported from; undefined when it was not. */
export const exportedFrom = (
  { metadata }: JsonObject,
  { key, environments }: ExistingProject,
): string | undefined => {
  const { flagSetId, scope } = objectOrNothing(metadata) ?? {};
  if (flagSetId !== scope) return undefined;
  return environments.find((one) => flagSetId === `${key}/${one.key}`)?.key;
};

/** @throws DomainError `invalid-flagd-file` when it is no such file at all */
export const readFlagdFile = (file: JsonObject): FlagdFile => {
  const { flags } = file as { flags?: Json };
  if (!isObject(flags)) {
    throw new DomainError('invalid-flagd-file', '/flags must be an object of flag definitions.');
  }
  return {
    flags,
    evaluators: evaluatorsOf(objectOrNothing(file['$evaluators']) ?? {}),
    metadata: objectOrNothing(file['metadata']),
  };
};

const isFact = (value: Json): value is FlagMetadata[string] => typeof value !== 'object';

/** A flag's own metadata; empty is none. @throws DomainError `cannot-import` */
const parseMetadata = (
  metadata: Json | undefined,
  place: string,
): Readonly<{ metadata?: FlagMetadata }> => {
  if (metadata === undefined) return {};
  if (!isObject(metadata)) return refuseAt(`${place}/metadata`, 'must be an object');
  const facts = Object.entries(metadata).map(([name, value]) =>
    isFact(value)
      ? ([name, value] as const)
      : refuseAt(`${place}/metadata/${name}`, 'must be a string, a number or a boolean'),
  );
  return facts.length === 0 ? {} : { metadata: Object.fromEntries(facts) };
};

/** What one entry of a flagd file says about a flag, in our terms. */
export type FlagDefinition = Readonly<{
  description?: string;
  metadata?: FlagMetadata;
  type: FlagType;
  variants: readonly Variant[];
  enabled: boolean;
}> &
  Targeting;

/**
 * What becomes of targeting: `rules` where they mean the same for attributes that are absent or of the expected type;
 * `exact`: an expression throughout.
 */
export type TargetingMode = 'rules' | 'exact';

type File = Pick<FlagdFile, 'evaluators'> &
  Readonly<{ mode: TargetingMode; segments: SegmentKeys }>;

/** What an entry says, and how its targeting is put for a flag that is here already. */
type Definition = Readonly<{
  definition: FlagDefinition;
  targetingFor: (here: WrittenFlag) => Targeting;
}>;

/** One entry of the file: its key, and what it says or why it cannot be taken. */
export type ParsedFlag = Readonly<{ key: string }> &
  (Definition | Readonly<{ refusal: DomainError }>);

const FLAG_PROPERTIES = [
  'state',
  'variants',
  'defaultVariant',
  'targeting',
  'description',
  'metadata',
];

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

/** @throws DomainError `cannot-import`, `invalid-logic` */
const parseTargeting = (
  key: string,
  flag: JsonObject,
  variants: readonly Variant[],
  { evaluators, mode, segments }: File,
): ((here?: WrittenFlag) => Targeting) => {
  const defaultVariant = parseDefault(flag['defaultVariant'], variants, `/flags/${key}`);
  const targeting = flag['targeting'];
  if (isEmptyTargeting(targeting))
    return () => ({ rules: [], fallthrough: { variant: defaultVariant } });
  const place = `/flags/${key}/targeting`;
  if (!isObject(targeting)) return refuseAt(place, 'must be an expression');
  const expression = withEvaluators(targeting, evaluators, place);
  requireValidLogic(expression, key, place);
  const names = variants.map(({ name }) => name);
  const about = { flagKey: key, variants: names, defaultVariant, segments };
  return (here) =>
    (mode === 'exact' ? exactTargeting : mapTargeting)(expression, { ...about, here });
};

const parseFlag = (key: string, flag: Json, file: File): Definition => {
  const place = `/flags/${key}`;
  if (!isObject(flag)) return refuseAt(place, 'must be an object');
  const unknown = Object.keys(flag).find((property) => !FLAG_PROPERTIES.includes(property));
  if (unknown !== undefined) refuseAt(`${place}/${unknown}`, 'cannot be kept by this version');
  const variants = parseVariants(flag['variants'], place);
  const about = {
    ...parseDescription(flag['description'], place),
    ...parseMetadata(flag['metadata'], place),
    type: parseType(variants, place),
    variants,
    enabled: parseState(flag['state'], place),
  };
  const targetingFor = parseTargeting(key, flag, variants, file);
  return { definition: { ...about, ...targetingFor() }, targetingFor };
};

/** Flag by flag in the file's order. `segments`: those that there are for its shared conditions. */
export const parseFlagd = (
  { flags, evaluators }: FlagdFile,
  mode: TargetingMode = 'rules',
  segments: SegmentKeys = NO_SEGMENTS,
): readonly ParsedFlag[] =>
  Object.entries(flags).map(([key, flag]) => {
    try {
      return { key, ...parseFlag(key, flag, { evaluators, mode, segments }) };
    } catch (error) {
      if (error instanceof DomainError) return { key, refusal: error };
      throw error;
    }
  });
