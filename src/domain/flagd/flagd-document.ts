import { type EnvironmentContents } from '../evaluation/environment-contents.js';
import { type Ruleset } from '../evaluation/ruleset.js';
import { type JsonObject, withSortedMembers } from '../json.js';
import { Inexpressible } from './expressions.js';
import { isOff, type Surroundings, targetingOf } from './flag-expression.js';
import { membershipIn } from './segment-expressions.js';

/** A flag that flagd has no words for, and why. */
export type LeftOut = Readonly<{ flag: string; reason: string }>;

/** A flag definition file of flagd (flagd.dev/schema/v0/flags.json), and what is not in it. */
export type FlagdDocument = Readonly<{ document: JsonObject; leftOut: readonly LeftOut[] }>;

const MAX_TEXT_LENGTH = 1_000_000;

/** What an entry says of whom it serves what. */
export type ServingEntry = Readonly<{
  state: 'ENABLED' | 'DISABLED';
  defaultVariant: string | null;
  targeting?: JsonObject;
}>;

/** How an environment serves a flag, in flagd's terms. @throws Inexpressible */
export const servingEntry = (ruleset: Ruleset, surroundings: Surroundings): ServingEntry => {
  const isAbsent = isOff(ruleset) && ruleset.configuration.offVariant === null;
  const state = isAbsent ? 'DISABLED' : 'ENABLED';
  const { defaultVariant, targeting } = targetingOf(ruleset, surroundings);
  if (typeof targeting === 'object' && targeting !== null)
    return { state, defaultVariant, targeting: targeting as JsonObject };
  const whole = targeting === null ? defaultVariant : (targeting as string);
  const isThere = whole === null || ruleset.variants.some(({ name }) => name === whole);
  // A provider refuses the whole file for a default variant that the flag does not have.
  return isThere
    ? { state, defaultVariant: whole }
    : { state, defaultVariant: null, targeting: { if: [true, whole] } };
};

const definitionOf = (ruleset: Ruleset, surroundings: Surroundings): JsonObject => {
  const { state, ...serving } = servingEntry(ruleset, surroundings);
  const variants = ruleset.variants.map(
    ({ name, value }) => [name, withSortedMembers(value)] as const,
  );
  return {
    state,
    variants: Object.fromEntries(variants),
    ...serving,
    ...(ruleset.metadata === undefined ? {} : { metadata: withSortedMembers(ruleset.metadata) }),
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
