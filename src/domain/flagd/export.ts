import {
  type EnvironmentContents,
  type Ruleset,
  type SegmentDefinition,
} from '../evaluation/ruleset.js';
import {
  type Configuration,
  type Rule,
  type Serve,
  type Split,
  wholeVariant,
} from '../flag/configuration.js';
import { type Json, type JsonObject, withSortedMembers } from '../json.js';
import { MAX_REFERENCE_DEPTH } from '../targeting/clause.js';
import { areTrue, type Membership } from './clause-expressions.js';
import {
  all,
  any,
  cannotExpress,
  choose,
  Inexpressible,
  isNumber,
  isPresent,
  isText,
  not,
  variable,
} from './expressions.js';
import { namesOrNothing, plainBranches } from './named-results.js';

/** What is served, and whether there is something to serve: else the next rule is tried. */
type Served = Readonly<{ result: Json; isPossible: Json }>;

/** A non-empty text or an integer. */
const isUnit = (bucketBy: string): Json => {
  const value = variable(bucketBy);
  if (bucketBy === 'targetingKey') return { '!!': [value] };
  return any([
    all([isText(value), { '!==': [value, ''] }]),
    all([isNumber(value), { '===': [{ '%': [value, 1] }, 0] }]),
  ]);
};

/** A salt makes a text of whatever is joined to it, so one variant with the whole weight needs no guard. */
const splitServed = (split: Split, flagSalt: string): Served => ({
  result: {
    fractional: [
      { cat: [split.salt ?? flagSalt, variable(split.bucketBy)] },
      ...split.weights.map(({ variant, weight }): Json => [variant, weight]),
    ],
  },
  isPossible: wholeVariant(split) === undefined ? isUnit(split.bucketBy) : true,
});

/** @throws Inexpressible */
export const servedBy = (serve: Serve, flagSalt: string): Served =>
  'split' in serve
    ? splitServed(serve.split, flagSalt)
    : { result: serve.variant, isPossible: true };

/** The other flags and segments that a flag may look at. */
export type Surroundings = Readonly<{
  flags: ReadonlyMap<string, Ruleset>;
  membership: Membership;
}>;

type Branch = readonly [condition: Json, result: Json];

/** What is asked for in turn. An expression that names no variant is passed over. */
type Step = Branch | Readonly<{ condition: Json; logic: Json }>;

/** An expression of its own that reads the key of the flag it stands in means another thing in another flag. */
const readsFlagKey = (logic: Json): boolean =>
  /"(\$flagd|fractional|var":"")/.test(JSON.stringify(logic));

const requireMovable = ({ key, configuration }: Ruleset): void => {
  for (const { serve } of configuration.rules ?? []) {
    if ('logic' in serve && readsFlagKey(serve.logic)) {
      cannotExpress(`the prerequisite "${key}" has an expression that reads its own flag's key`);
    }
  }
};

const isMet = (served: Json, variants: readonly string[]): Json => {
  if (served === null) return false;
  return typeof served === 'string' ? variants.includes(served) : { in: [served, variants] };
};

const prerequisitesMet = (
  { prerequisites = [] }: Configuration,
  surroundings: Surroundings,
  depth: number,
): Json =>
  all(
    prerequisites.map(({ flagKey, variants }) => {
      const flag = surroundings.flags.get(flagKey);
      if (flag === undefined || depth >= MAX_REFERENCE_DEPTH) return false;
      requireMovable(flag);
      return isMet(wholeExpression(flag, surroundings, depth + 1), variants);
    }),
  );

const ruleStep = ({ clauses, serve }: Rule, salt: string, membership: Membership): Step => {
  const condition = areTrue(clauses, membership);
  if ('logic' in serve) return { condition, logic: serve.logic };
  const { result, isPossible } = servedBy(serve, salt);
  return [all([condition, isPossible]), result];
};

const targetSteps = ({ targets }: Configuration): readonly Branch[] =>
  targets.map(({ variant, keys }) => [
    any(keys.length === 0 ? [] : [{ in: [{ var: 'targetingKey' }, keys] }]),
    variant,
  ]);

const stepsOf = (ruleset: Ruleset, surroundings: Surroundings, depth: number): readonly Step[] => {
  const { configuration, salt } = ruleset;
  const { fallthrough, offVariant, rules = [] } = configuration;
  const steps: readonly Step[] = [
    [not(prerequisitesMet(configuration, surroundings, depth)), offVariant],
    ...targetSteps(configuration),
    ...rules.map((rule) => ruleStep(rule, salt, surroundings.membership)),
  ];
  const { result, isPossible } = servedBy(fallthrough, salt);
  return 'split' in fallthrough ? [...steps, [isPossible, result]] : steps;
};

/** The branches that an expression comes to by itself; undefined when it may name none behind a condition that holds. */
const logicBranches = (condition: Json, logic: Json): readonly Branch[] | undefined =>
  plainBranches(logic)?.map(([asked, result]) => [all([condition, asked]), result]);

/**
 * An expression, and what holds when it names nothing. Written once where what it names is plain to see; what computes
 * a name might compute `false` or 0, which only asking for null tells from nothing.
 */
const withLogic = (condition: Json, logic: Json, otherwise: Json): Json => {
  if (otherwise === null) return choose(condition, logic, null);
  const branches = logicBranches(condition, logic);
  if (branches !== undefined)
    return branches.reduceRight<Json>((rest, branch) => choose(...branch, rest), otherwise);
  return namesOrNothing(logic)
    ? { or: [choose(condition, logic, null), otherwise] }
    : choose(all([condition, isPresent(logic)]), logic, otherwise);
};

const chained = (steps: readonly Step[], otherwise: Json): Json =>
  steps.reduceRight<Json>(
    (rest, step) =>
      'logic' in step
        ? withLogic(step.condition, step.logic, rest)
        : choose(step[0], step[1], rest),
    otherwise,
  );

/** Whether a flag serves one variant, or none, to everyone. */
const isOff = ({ configuration, isArchived }: Ruleset): boolean =>
  isArchived || !configuration.enabled;

const lastVariant = ({ fallthrough }: Configuration): string | null =>
  'variant' in fallthrough ? fallthrough.variant : null;

/** The name of the variant that a flag serves, or null for none. @throws Inexpressible */
const wholeExpression = (ruleset: Ruleset, surroundings: Surroundings, depth: number): Json =>
  isOff(ruleset)
    ? ruleset.configuration.offVariant
    : chained(stepsOf(ruleset, surroundings, depth), lastVariant(ruleset.configuration));

/** Whether somebody gets no variant where flagd would serve its default. */
const servesNothing = (step: Step): boolean =>
  !('logic' in step) && step[0] !== false && step[1] === null;

/**
 * The variant for whom the targeting names none, and the targeting; a text or null when it is the same for everyone. Who
 * falls through gets the default variant, so that flagd's reason for them is `DEFAULT`; but a flag that serves some people
 * no variant at all can have no default. @throws Inexpressible
 */
const targetingOf = (
  ruleset: Ruleset,
  surroundings: Surroundings,
): Readonly<{ defaultVariant: string | null; targeting: Json }> => {
  const { configuration } = ruleset;
  if (isOff(ruleset)) return { defaultVariant: configuration.offVariant, targeting: null };
  const steps = stepsOf(ruleset, surroundings, 0);
  const last = lastVariant(configuration);
  // As a default it would make a provider refuse the whole file.
  if (last !== null && !ruleset.variants.some(({ name }) => name === last))
    return { defaultVariant: null, targeting: chained(steps, { if: [true, last] }) };
  return last !== null && steps.some(servesNothing)
    ? { defaultVariant: null, targeting: chained(steps, last) }
    : { defaultVariant: last, targeting: chained(steps, null) };
};

/** How an export writes the parts of a flag that it would not know again by themselves. */
export type WrittenFlag = Readonly<{
  /** The question whether prerequisites are met, with what is served if not; undefined: nothing is asked. */
  prerequisites: Branch | undefined;
  rules: readonly Readonly<{ rule: Rule; branches: readonly Branch[] }>[];
}>;

/** @throws Inexpressible */
export const writtenFlag = (ruleset: Ruleset, surroundings: Surroundings): WrittenFlag => {
  const { configuration, salt } = ruleset;
  const { offVariant, rules = [] } = configuration;
  const unmet = not(prerequisitesMet(configuration, surroundings, 0));
  const written = rules.map((rule) => {
    const step = ruleStep(rule, salt, surroundings.membership);
    const branches = 'logic' in step ? logicBranches(step.condition, step.logic) : [step];
    return { rule, branches: branches ?? [] };
  });
  return { prerequisites: unmet === false ? undefined : [unmet, offVariant], rules: written };
};

const isOneOf = (keys: readonly string[]): Json =>
  keys.length === 0 ? false : { in: [{ var: 'targetingKey' }, keys] };

/** Membership in the segments of an environment, with the segments that they refer to put in. */
export const membershipIn = (segments: ReadonlyMap<string, SegmentDefinition>): Membership => {
  const expressions = new Map<string, Json>();
  const expressionOf = (definition: SegmentDefinition, depth: number): Json => {
    if (depth > MAX_REFERENCE_DEPTH) return cannotExpress('segments refer to each other too deep');
    const { excluded, included, rules } = definition;
    const membership: Membership = (key) => memberOf(key, depth + 1);
    return all([
      not(isOneOf(excluded)),
      any([isOneOf(included), ...rules.map(({ clauses }) => areTrue(clauses, membership))]),
    ]);
  };
  const memberOf = (key: string, depth: number): Json | undefined => {
    const known = expressions.get(key);
    if (known !== undefined) return known;
    const definition = segments.get(key);
    if (definition === undefined) return undefined;
    const expression = expressionOf(definition, depth);
    expressions.set(key, expression);
    return expression;
  };
  return (key) => memberOf(key, 0);
};

/** A flag that flagd has no words for, and why. */
type LeftOut = Readonly<{ flag: string; reason: string }>;

/** A flag definition file of flagd (flagd.dev/schema/v0/flags.json), and what is not in it. */
type FlagdDocument = Readonly<{ document: JsonObject; leftOut: readonly LeftOut[] }>;

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
