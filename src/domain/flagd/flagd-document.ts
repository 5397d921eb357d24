import { type EnvironmentContents } from '../evaluation/environment-contents.js';
import { type Ruleset } from '../evaluation/ruleset.js';
import { type Configuration } from '../flag/configuration.js';
import { type Json, type JsonObject } from '../json.js';
import { Inexpressible } from './expressions.js';
import { expressionOf, isOff, type Surroundings } from './flag-expression.js';
import { membershipIn } from './segment-expressions.js';

/** A flag that flagd has no words for, and why. */
export type LeftOut = Readonly<{ flag: string; reason: string }>;

/** A flag definition file of flagd (flagd.dev/schema/v0/flags.json), and what is not in it. */
export type FlagdDocument = Readonly<{ document: JsonObject; leftOut: readonly LeftOut[] }>;

const MAX_TEXT_LENGTH = 1_000_000;

/** The expression that is the whole targeting of a flag, as flagd had it. */
const wholeLogic = ({
  targets,
  prerequisites = [],
  rules = [],
}: Configuration): Json | undefined => {
  const [only, ...more] = rules;
  const others = [...targets, ...prerequisites, ...more, ...(only?.clauses ?? [])];
  return only !== undefined && others.length === 0 && 'logic' in only.serve
    ? only.serve.logic
    : undefined;
};

/** Without a default variant, those for whom the targeting names none get none. */
const targetingOf = (ruleset: Ruleset, surroundings: Surroundings): JsonObject => {
  const { fallthrough } = ruleset.configuration;
  const logic = isOff(ruleset) ? undefined : wholeLogic(ruleset.configuration);
  if (logic !== undefined && 'variant' in fallthrough) {
    return { defaultVariant: fallthrough.variant, targeting: logic };
  }
  const expression = expressionOf(ruleset, surroundings);
  return typeof expression === 'string' || expression === null
    ? { defaultVariant: expression }
    : { defaultVariant: null, targeting: expression };
};

const definitionOf = (ruleset: Ruleset, surroundings: Surroundings): JsonObject => {
  const targeting = targetingOf(ruleset, surroundings);
  const isAbsent = isOff(ruleset) && ruleset.configuration.offVariant === null;
  const variants = ruleset.variants.map(({ name, value }) => [name, value] as const);
  return {
    state: isAbsent ? 'DISABLED' : 'ENABLED',
    variants: Object.fromEntries(variants),
    ...targeting,
    ...(ruleset.metadata === undefined ? {} : { metadata: ruleset.metadata }),
  };
};

const exported = (ruleset: Ruleset, surroundings: Surroundings): JsonObject | string => {
  try {
    const definition = definitionOf(ruleset, surroundings);
    return JSON.stringify(definition).length > MAX_TEXT_LENGTH
      ? 'its targeting, written out, is over 1 000 000 characters'
      : definition;
  } catch (error) {
    if (error instanceof Inexpressible) return error.message;
    throw error;
  }
};

const leftOutText = (leftOut: readonly LeftOut[]): JsonObject =>
  leftOut.length === 0
    ? {}
    : { leftOut: leftOut.map(({ flag, reason }) => `${flag}: ${reason}`).join('; ') };

/**
 * What any flagd provider needs to answer as we do. A flag that cannot be said exactly is left out, and named in the
 * metadata of the set, never changed. docs/flagd.md says for which contexts the answers are the same.
 */
export const flagdDocument = (contents: EnvironmentContents, flagSetId: string): FlagdDocument => {
  const surroundings = { flags: contents.flags, membership: membershipIn(contents.segments) };
  const sorted = [...contents.flags.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const flags: [string, JsonObject][] = [];
  const leftOut: LeftOut[] = [];
  for (const ruleset of sorted) {
    const definition = exported(ruleset, surroundings);
    if (typeof definition === 'string') leftOut.push({ flag: ruleset.key, reason: definition });
    else flags.push([ruleset.key, definition]);
  }
  // Some providers add their selector as `scope` unless there is one, and the selector may be a key.
  const metadata = { flagSetId, scope: flagSetId, ...leftOutText(leftOut) };
  const $schema = 'https://flagd.dev/schema/v0/flags.json';
  return { document: { $schema, metadata, flags: Object.fromEntries(flags) }, leftOut };
};
