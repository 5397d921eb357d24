import { type Rule, type Target } from '../flag/configuration.js';
import { type Json, sameJson } from '../json.js';
import { areWithinLimits, conditionOf } from './condition.js';
import { type WrittenFlag } from './export.js';
import { chainOf, isPresent } from './expressions.js';
import { namesOrNothing } from './named-results.js';
import { type About, type Branch, type Draft, type Outcome, type Targeting } from './outcome.js';
import { isArray, operationOf } from './place.js';
import { guardedSplit, isCutShort, splitOutcome } from './split-outcome.js';

type WrittenRule = WrittenFlag['rules'][number];

/** What is left of an `if` behind its first branch. */
const behindFirst = (list: readonly Json[]): Json => {
  const rest = list.slice(2);
  return rest.length > 1 ? { if: rest } : (rest[0] ?? null);
};

/** Without the question whether prerequisites are met, as the flag that is here writes it: it keeps them. */
const withoutPrerequisites = (expression: Json, { here }: About): Json => {
  const list = chainOf(expression);
  const isAsked =
    here?.prerequisites !== undefined && sameJson(list?.slice(0, 2) ?? null, here.prerequisites);
  return isAsked && list !== undefined ? behindFirst(list) : expression;
};

const isText = (value: Json): value is string => typeof value === 'string';

const textsOf = (list: Json): readonly string[] | undefined =>
  isArray(list) && list.length > 0 && list.every(isText) ? list : undefined;

const KEY: Json = { var: 'targetingKey' };

/** `{"in": [{"var": "targetingKey"}, […]]}`: for whom a variant is meant by name. */
const namedKeys = (condition: Json): readonly string[] | undefined => {
  const found = operationOf(condition);
  if (found?.name !== 'in' || !isArray(found.argument)) return undefined;
  const [, keys = null] = found.argument;
  return sameJson(found.argument, [KEY, keys]) ? textsOf(keys) : undefined;
};

type FirstTarget = Readonly<{ target: Target; rest: Json }>;

const firstTarget = (expression: Json, { variants }: About): FirstTarget | undefined => {
  const list = chainOf(expression) ?? [];
  const [condition = null, variant = null] = list;
  const keys = namedKeys(condition);
  return keys !== undefined && isText(variant) && variants.includes(variant)
    ? { target: { variant, keys }, rest: behindFirst(list) }
    : undefined;
};

/** Individual targets at the beginning of a targeting, each key and each variant once, and what comes after them. */
const leadingTargets = (
  expression: Json,
  about: About,
): Readonly<{ targets: readonly Target[]; rest: Json }> => {
  const targets: Target[] = [];
  const seen = new Set<string>();
  for (let rest = expression; ;) {
    const first = firstTarget(rest, about);
    const variant = first?.target.variant;
    if (first === undefined || targets.some((target) => target.variant === variant))
      return { targets, rest };
    const keys = [...new Set(first.target.keys)].filter((key) => !seen.has(key));
    if (keys.length > 0) targets.push({ ...first.target, keys });
    for (const key of keys) seen.add(key);
    rest = first.rest;
  }
};

const begins = (branches: readonly Branch[], { branches: written }: WrittenRule): boolean =>
  written.length > 0 &&
  written.length <= branches.length &&
  written.every(([condition, result], index) =>
    sameJson({ condition, result }, branches[index] ?? null),
  );

/** The rule of the flag that is here which these branches begin with, unless it is used already. */
const ruleHere = (
  branches: readonly Branch[],
  used: readonly Draft[],
  { here }: About,
): WrittenRule | undefined =>
  here?.rules.find(
    (written) => begins(branches, written) && used.every(({ rule }) => rule !== written.rule),
  );

const sameAs =
  ({ clauses, serve }: Draft) =>
  (rule: Rule): boolean =>
    sameJson(rule.clauses, clauses) && sameJson(rule.serve, serve);

/**
 * Rules that are here keep their ids and descriptions; others have ids made from their order, so that the same file gives
 * the same ids.
 */
const rulesOf = (drafts: readonly Draft[], { here }: About): readonly Rule[] => {
  const present = here?.rules.map(({ rule }) => rule) ?? [];
  const taken = new Set(drafts.flatMap(({ rule }) => rule ?? []));
  const known = drafts.map((draft) => {
    const rule = draft.rule ?? present.find((one) => !taken.has(one) && sameAs(draft)(one));
    if (rule !== undefined) taken.add(rule);
    return rule;
  });
  const ids = new Set(known.flatMap((rule) => rule?.id ?? []));
  const freeId = (order: number): string => {
    for (let nth = order; ; nth += 1) if (!ids.has(`flagd-${nth}`)) return `flagd-${nth}`;
  };
  return drafts.map(({ clauses, serve }, index) => {
    if (known[index] !== undefined) return known[index];
    const id = freeId(index + 1);
    ids.add(id);
    const description = 'logic' in serve ? "flagd's targeting, kept as an expression" : '';
    return { id, description, clauses, serve };
  });
};

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
