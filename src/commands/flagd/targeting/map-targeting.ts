import { isPresent } from '../../../domain/flagd/expressions.js';
import { namesOrNothing } from '../../../domain/flagd/named-results.js';
import { type Json, sameJson } from '../../../domain/json.js';
import { isArray, operationOf } from '../place.js';
import { conditionOf } from './condition.js';
import { areWithinLimits } from './limits.js';
import { leadingTargets, ruleHere, rulesOf, withoutPrerequisites } from './known-again.js';
import { type About, type Branch, type Draft, type Outcome, type Targeting } from './outcome.js';
import { guardedSplit, isCutShort, splitOutcome } from './split-outcome.js';

const NO_OPERATION = { name: '', argument: null };

const MAX_RULES = 200;

const kept = (logic: Json, { defaultVariant }: About): Outcome => ({
  drafts: [{ clauses: [], serve: { logic } }],
  rest: { variant: defaultVariant },
});

/** The variant that a constant names; undefined when it is no constant, or names none. */
const namedVariant = (
  result: Json,
  { variants, defaultVariant }: About,
): string | null | undefined => {
  if (result === null) return defaultVariant;
  const name = typeof result === 'object' ? undefined : String(result);
  return name !== undefined && variants.includes(name) ? name : undefined;
};

/** An expression as an export writes it before others: if it names something, what it names. */
const guardedLogic = ({ condition, result }: Branch): Draft | undefined =>
  sameJson(condition, isPresent(result)) ? { clauses: [], serve: { logic: result } } : undefined;

const branchesOf = (list: readonly Json[]): readonly Branch[] =>
  list.flatMap((condition, index) => {
    const result = list[index + 1];
    return index % 2 === 0 && result !== undefined ? [{ condition, result }] : [];
  });

/** A branch as rules; undefined when its condition cannot be put as clauses. */
const draftsOf = (branch: Branch | undefined, about: About): readonly Draft[] | undefined => {
  if (branch === undefined) return undefined;
  const { condition, result } = branch;
  const guarded = guardedLogic(branch) ?? guardedSplit(branch, about);
  if (guarded !== undefined) return [guarded];
  const alternatives = conditionOf(condition, about.segments);
  if (alternatives !== undefined) {
    const { drafts, rest } = outcomeOf(result, { ...about, here: undefined });
    const all: readonly Draft[] = [...drafts, { clauses: [], serve: rest }];
    return alternatives.flatMap((clauses) =>
      all.map((draft) => ({ ...draft, clauses: [...clauses, ...draft.clauses] })),
    );
  }
  const name = namedVariant(result, about) ?? undefined;
  return name === undefined
    ? undefined
    : [{ clauses: [], serve: { logic: { if: [condition, name] } } }];
};

/** From the first branch that cannot be told apart on, the rest stays one expression. */
const chainOutcome = (list: readonly Json[], about: About): Outcome => {
  const drafts: Draft[] = [];
  const branches = branchesOf(list);
  for (let index = 0; index < branches.length; index += 1) {
    const own = ruleHere(branches.slice(index), drafts, about);
    if (own !== undefined) {
      drafts.push({ ...own.rule, rule: own.rule });
      index += own.branches.length - 1;
      continue;
    }
    const found = draftsOf(branches[index], about);
    if (found === undefined || isCutShort(found, list.slice(index * 2 + 2), about)) {
      const { drafts: last, rest } = kept({ if: list.slice(index * 2) }, about);
      return { drafts: [...drafts, ...last], rest };
    }
    drafts.push(...found);
  }
  const last = list.length % 2 === 1 ? (list.at(-1) ?? null) : null;
  const { drafts: more, rest } = outcomeOf(last, about);
  return { drafts: [...drafts, ...more], rest };
};

/** Undefined for what has no rules of its own. */
const operationOutcome = (expression: Json, about: About): Outcome | undefined => {
  const { name, argument } = operationOf(expression) ?? NO_OPERATION;
  if (name === 'fractional') return splitOutcome(argument, about);
  if (!isArray(argument) || argument.length < 2) return undefined;
  if (name === 'if') return chainOutcome(argument, about);
  return name === 'or' ? alternativeOutcome(argument, about) : undefined;
};

const outcomeOf = (expression: Json, about: About): Outcome => {
  const variant = namedVariant(expression, about);
  if (variant !== undefined) return { drafts: [], rest: { variant } };
  return operationOutcome(expression, about) ?? kept(expression, about);
};

/** `or` of an expression that names a variant or nothing, as an export writes it, and of what holds then. */
const alternativeOutcome = (list: readonly Json[], about: About): Outcome | undefined => {
  const [logic = null, next = null] = list;
  if (list.length !== 2 || !namesOrNothing(logic)) return undefined;
  const { drafts, rest } = outcomeOf(next, about);
  return { drafts: [{ clauses: [], serve: { logic } }, ...drafts], rest };
};

/** For everyone: what comes after it is never reached. */
const isForEveryone = ({ clauses, serve }: Draft): boolean =>
  clauses.length === 0 && !('logic' in serve);

const reachable = ({ drafts, rest }: Outcome): Outcome => {
  const last = drafts.findIndex(isForEveryone);
  const serve = drafts[last]?.serve;
  if (serve === undefined || 'logic' in serve) return { drafts, rest };
  return { drafts: drafts.slice(0, last), rest: serve };
};

/** A split over everyone serves nothing to those without a unit by itself. */
const withoutNeedlessGuard = ({ drafts, rest }: Outcome): Outcome => {
  const last = drafts.at(-1)?.serve;
  const isNeedless =
    'split' in rest && last !== undefined && 'variant' in last && last.variant === null;
  return isNeedless ? { drafts: drafts.slice(0, -1), rest } : { drafts, rest };
};

/** Only a rule that serves an expression may be without clauses. */
const isPossible = ({ clauses, serve }: Draft): boolean =>
  (clauses.length > 0 || 'logic' in serve) && areWithinLimits(clauses);

/** The whole expression as the only rule. */
export const exactTargeting = (expression: Json, about: About): Targeting => {
  const { drafts, rest } = kept(expression, about);
  return { rules: rulesOf(drafts, about), fallthrough: rest };
};

/**
 * flagd's targeting as rules that people can read and change, the same for everyone whose attributes are absent or of
 * the type that they are compared with. What has no such rule stays an expression. docs/flagd.md has the mapping.
 */
export const mapTargeting = (expression: Json, about: About): Targeting => {
  const { targets, rest: asked } = leadingTargets(withoutPrerequisites(expression, about), about);
  const { drafts, rest } = withoutNeedlessGuard(reachable(outcomeOf(asked, about)));
  return drafts.length <= MAX_RULES && drafts.every(isPossible)
    ? {
        ...(targets.length === 0 ? {} : { targets }),
        rules: rulesOf(drafts, about),
        fallthrough: rest,
      }
    : exactTargeting(expression, about);
};
