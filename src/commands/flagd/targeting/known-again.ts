import { type Rule, type Target } from '../../../domain/flag/configuration.js';
import { chainOf } from '../../../domain/flagd/expressions.js';
import { type WrittenFlag } from '../../../domain/flagd/flag-expression.js';
import { type Json, sameJson } from '../../../domain/json.js';
import { isArray, operationOf } from '../place.js';
import { type About, type Branch, type Draft } from './outcome.js';

type WrittenRule = WrittenFlag['rules'][number];

/** What is left of an `if` behind its first branch. */
const behindFirst = (list: readonly Json[]): Json => {
  const rest = list.slice(2);
  return rest.length > 1 ? { if: rest } : (rest[0] ?? null);
};

/** Without the question whether prerequisites are met, as the flag that is here writes it: it keeps them. */
export const withoutPrerequisites = (expression: Json, { here }: About): Json => {
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
export const leadingTargets = (
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
export const ruleHere = (
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
export const rulesOf = (drafts: readonly Draft[], { here }: About): readonly Rule[] => {
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
