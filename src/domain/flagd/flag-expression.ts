import { type Ruleset } from '../evaluation/ruleset.js';
import { type Configuration } from '../flag/configuration.js';
import { type Json } from '../json.js';
import { MAX_REFERENCE_DEPTH } from '../targeting/clause.js';
import { areTrue, type Membership } from './clause-expressions.js';
import { all, any, cannotExpress, choose, not } from './expressions.js';
import { servedBy } from './serve-expressions.js';

/** The other flags and segments that a flag may look at. */
export type Surroundings = Readonly<{
  flags: ReadonlyMap<string, Ruleset>;
  membership: Membership;
}>;

type Branch = readonly [condition: Json, result: Json];

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
      return isMet(expressionOf(flag, surroundings, depth + 1), variants);
    }),
  );

const ruleBranches = ({ configuration, salt }: Ruleset, membership: Membership): Branch[] =>
  (configuration.rules ?? []).map(({ clauses, serve }) => {
    const { result, isPossible } = servedBy(serve, salt);
    return [all([areTrue(clauses, membership), isPossible]), result];
  });

const targetBranches = ({ targets }: Configuration): Branch[] =>
  targets.map(({ variant, keys }) => [
    any(keys.length === 0 ? [] : [{ in: [{ var: 'targetingKey' }, keys] }]),
    variant,
  ]);

const liveExpression = (ruleset: Ruleset, surroundings: Surroundings, depth: number): Json => {
  const { configuration, salt } = ruleset;
  const { result, isPossible } = servedBy(configuration.fallthrough, salt);
  return choose(
    [
      [not(prerequisitesMet(configuration, surroundings, depth)), configuration.offVariant],
      ...targetBranches(configuration),
      ...ruleBranches(ruleset, surroundings.membership),
      [isPossible, result],
    ],
    null,
  );
};

/** Whether a flag serves one variant, or none, to everyone. */
export const isOff = ({ configuration, isArchived }: Ruleset): boolean =>
  isArchived || !configuration.enabled;

/** The name of the variant that a flag serves, or null for none, as a JSONLogic expression. @throws Inexpressible */
export const expressionOf = (ruleset: Ruleset, surroundings: Surroundings, depth = 0): Json =>
  isOff(ruleset) ? ruleset.configuration.offVariant : liveExpression(ruleset, surroundings, depth);
