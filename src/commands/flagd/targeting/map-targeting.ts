import { type Rule, type RuleServe, type Serve } from '../../../domain/flag/configuration.js';
import { type Json } from '../../../domain/json.js';
import { type Clause } from '../../../domain/targeting/clause.js';
import { isArray, operationOf } from '../place.js';
import { conditionOf, type SegmentKeys } from './condition.js';
import { splitOf } from './fractional.js';
import { areWithinLimits } from './limits.js';

/** Whose targeting it is. */
export type About = Readonly<{
  flagKey: string;
  variants: readonly string[];
  defaultVariant: string | null;
  /** Of the project, for conditions that flags share. */
  segments: SegmentKeys;
}>;

export type Targeting = Readonly<{ rules: readonly Rule[]; fallthrough: Serve }>;

type Draft = Readonly<{ clauses: readonly Clause[]; serve: RuleServe }>;

/** What is tried in order, and what everyone else gets. */
type Outcome = Readonly<{ drafts: readonly Draft[]; rest: Serve }>;

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

/** flagd serves the default variant to those who cannot be bucketed; a rule's split would leave them to the next rule. */
const splitOutcome = (argument: Json, about: About): Outcome | undefined => {
  const split = splitOf(argument, about.flagKey);
  if (!split?.weights.every(({ variant }) => about.variants.includes(variant))) return undefined;
  const attribute = split.bucketBy;
  const withoutUnit: Clause = {
    anyOf: [
      { attribute, operator: 'notExists', values: [] },
      { attribute, operator: 'in', values: [''] },
    ],
  };
  const serve = { variant: about.defaultVariant };
  return { drafts: [{ clauses: [withoutUnit], serve }], rest: { split } };
};

type Branch = Readonly<{ condition: Json; result: Json }>;

const branchesOf = (list: readonly Json[]): readonly Branch[] =>
  list.flatMap((condition, index) => {
    const result = list[index + 1];
    return index % 2 === 0 && result !== undefined ? [{ condition, result }] : [];
  });

/** A branch as rules; undefined when its condition cannot be put as clauses. */
const draftsOf = ({ condition, result }: Branch, about: About): readonly Draft[] | undefined => {
  const alternatives = conditionOf(condition, about.segments);
  if (alternatives !== undefined) {
    const { drafts, rest } = outcomeOf(result, about);
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
  for (const [index, branch] of branchesOf(list).entries()) {
    const found = draftsOf(branch, about);
    if (found === undefined) {
      const { drafts: last, rest } = kept({ if: list.slice(index * 2) }, about);
      return { drafts: [...drafts, ...last], rest };
    }
    drafts.push(...found);
  }
  const last = list.length % 2 === 1 ? (list.at(-1) ?? null) : null;
  const { drafts: more, rest } = outcomeOf(last, about);
  return { drafts: [...drafts, ...more], rest };
};

const NO_OPERATION = { name: '', argument: null };

const outcomeOf = (expression: Json, about: About): Outcome => {
  const variant = namedVariant(expression, about);
  if (variant !== undefined) return { drafts: [], rest: { variant } };
  const { name, argument } = operationOf(expression) ?? NO_OPERATION;
  const isChain = name === 'if' && isArray(argument) && argument.length > 1;
  if (isChain) return chainOutcome(argument, about);
  const split = name === 'fractional' ? splitOutcome(argument, about) : undefined;
  return split ?? kept(expression, about);
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

/** The same file gives the same ids, so that importing it twice changes nothing. */
const toRule = ({ clauses, serve }: Draft, index: number): Rule => ({
  id: `flagd-${index + 1}`,
  description: 'logic' in serve ? "flagd's targeting, kept as an expression" : '',
  clauses,
  serve,
});

/** The whole expression as the only rule. */
export const exactTargeting = (expression: Json, about: About): Targeting => {
  const { drafts, rest } = kept(expression, about);
  return { rules: drafts.map(toRule), fallthrough: rest };
};

/**
 * flagd's targeting as rules that people can read and change, the same for everyone whose attributes are absent or of
 * the type that they are compared with. What has no such rule stays an expression. docs/flagd.md has the mapping.
 */
export const mapTargeting = (expression: Json, about: About): Targeting => {
  const { drafts, rest } = withoutNeedlessGuard(reachable(outcomeOf(expression, about)));
  return drafts.length <= MAX_RULES && drafts.every(isPossible)
    ? { rules: drafts.map(toRule), fallthrough: rest }
    : exactTargeting(expression, about);
};
