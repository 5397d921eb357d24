import { type Ruleset } from '../evaluation/ruleset.js';
import { type Configuration, type Rule } from '../flag/configuration.js';
import { type Json } from '../json.js';
import { MAX_REFERENCE_DEPTH } from '../targeting/clause.js';
import { areTrue, type Membership } from './clause-expressions.js';
import { all, any, cannotExpress, choose, isPresent, not } from './expressions.js';
import { namesOrNothing, plainBranches } from './named-results.js';
import { servedBy } from './serve-expressions.js';

/** The other flags and segments that a flag may look at. */
export type Surroundings = Readonly<{
  flags: ReadonlyMap<string, Ruleset>;
  membership: Membership;
}>;

export type Branch = readonly [condition: Json, result: Json];

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
export const isOff = ({ configuration, isArchived }: Ruleset): boolean =>
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
export const targetingOf = (
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
