import { type Configuration, type FlagType, type Variant } from '../flag/configuration.js';
import { type FlagMetadata } from '../flag/events.js';
import { configurationOf, type ExistingFlag } from '../flag/flag.js';
import { type Json } from '../json.js';
import { type Position, positionInJson } from '../position.js';
import { type ExistingSegment, type SegmentRule } from '../segment.js';

/** All that evaluating one flag in one environment needs, as it is stored in Redis and on disk. */
export type Ruleset = Readonly<{
  key: string;
  type: FlagType;
  /** The flag's revision and log position that this was taken at. */
  revision: number;
  position: string | number;
  isArchived: boolean;
  salt: string;
  variants: readonly Variant[];
  configuration: Configuration;
  /** The flag's own, which providers hand to applications. */
  metadata?: FlagMetadata;
}>;

/** The ruleset of a flag in one environment; undefined for a deleted flag, which is not evaluated. */
export const rulesetOf = (
  flag: ExistingFlag,
  environment: string,
  { revision, position }: Readonly<{ revision: number; position: Position }>,
): Ruleset | undefined =>
  flag.status === 'deleted'
    ? undefined
    : {
        key: flag.key,
        type: flag.type,
        revision,
        position: positionInJson(position),
        isArchived: flag.status === 'archived',
        salt: flag.salt,
        variants: flag.variants,
        configuration: configurationOf(flag, environment),
        ...(flag.metadata === undefined ? {} : { metadata: flag.metadata }),
      };

/** All that evaluating membership needs, as it is stored in Redis and on disk. */
export type SegmentDefinition = Readonly<{
  key: string;
  /** The segment's revision and log position that this was taken at. */
  revision: number;
  position: string | number;
  included: readonly string[];
  excluded: readonly string[];
  rules: readonly SegmentRule[];
}>;

export type SegmentKeys = Pick<SegmentDefinition, 'included' | 'excluded'>;

/** What changed of the lists of a long segment: the rest of it is in `definition`, whose lists are empty. */
export type SegmentEdit = Readonly<{
  definition: SegmentDefinition;
  /** The revision of the segment that this is a change of. */
  from: number;
  removed: SegmentKeys;
  added: SegmentKeys;
}>;

/** Undefined for a deleted segment: whether anybody is in it is unknown. */
export const segmentDefinitionOf = (
  segment: ExistingSegment,
  { revision, position }: Readonly<{ revision: number; position: Position }>,
): SegmentDefinition | undefined => {
  if (segment.status === 'deleted') return undefined;
  const { key, included, excluded, rules } = segment;
  return { key, revision, position: positionInJson(position), included, excluded, rules };
};

/**
 * One step of the change stream that evaluating processes follow.
 * `environment` is an environmentId; `null` removes the flag or segment. A change of a whole environment
 * (added, deleted, restored, its project too), and of very many keys of a segment, makes readers load that environment
 * again. An edit is what changed of a long segment; who does not have the segment as it was before loads the environment.
 */
export type RulesetChange =
  | Readonly<{ environment: string; flag: string; ruleset: Ruleset | null }>
  | Readonly<{ environment: string; segment: string; definition: SegmentDefinition | null }>
  | Readonly<{ environment: string; segment: string; edit: SegmentEdit }>
  | Readonly<{ environment: string; reload: true }>;

/** All that evaluating in one environment needs, by key. */
export type EnvironmentContents = Readonly<{
  flags: ReadonlyMap<string, Ruleset>;
  segments: ReadonlyMap<string, SegmentDefinition>;
}>;

/** Flags and segments that changed; `null`: removed. */
export type ContentChanges = Readonly<{
  flags: ReadonlyMap<string, Ruleset | null>;
  segments: ReadonlyMap<string, SegmentDefinition | null>;
}>;

// Flags and segments of an environment are stored under one roof. No key begins with this character.
const SEGMENT = '@';

/** The name that a segment is stored by, next to flags, which are stored by their keys. */
export const segmentEntry = (key: string): string => `${SEGMENT}${key}`;

/** The name of one of the parts that the lists of a long segment are stored in. No key has this character. */
export const segmentPartEntry = (key: string, nth: number): string => `${SEGMENT}${key}/${nth}`;

/** Whether an entry is a segment's, or a part of one. */
export const isSegmentEntry = (name: string): boolean => name.startsWith(SEGMENT);

export const isSegmentPart = (name: string): boolean => isSegmentEntry(name) && name.includes('/');

/**
 * Why this answer: the reasons of the OpenFeature specification (types, resolution details) that we give, and
 * PREREQUISITE_FAILED, which it does not have.
 */
export const REASONS = [
  'STATIC',
  'DEFAULT',
  'TARGETING_MATCH',
  'SPLIT',
  'PREREQUISITE_FAILED',
  'DISABLED',
  'ERROR',
] as const;

export type Reason = (typeof REASONS)[number];

/** What a flag resolves to. Without `value` and `variant` the application's own default holds. */
export type Resolution = Readonly<{
  flagKey: string;
  flagType: FlagType;
  /** Tells floats from integers when served: true when any variant of the flag is not an integer. */
  isFloat: boolean;
  value?: Json;
  variant?: string;
  reason: Reason;
  /** The rule that decided, if one did. */
  ruleId?: string;
  /** GENERAL: the configuration names a variant that the flag does not have, or finding out takes too many steps. */
  errorCode?: 'GENERAL';
  flagRevision: number;
}>;
