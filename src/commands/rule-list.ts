import { createHash } from 'node:crypto';
import { DomainError } from '../domain/decider.js';
import { canonicalJson, type Json } from '../domain/json.js';

const LENGTH = 8;

/**
 * An id for a rule that came without one: made of what the rule says, so that the same command again, or a dry run of
 * it, makes the same.
 */
const ruleIdOf = (rule: Json, taken: ReadonlySet<string>): string => {
  const hash = createHash('sha256').update(canonicalJson(rule)).digest('hex').slice(0, LENGTH);
  const first = `rule-${hash}`;
  for (let nth = 2, id = first; ; nth += 1) {
    if (!taken.has(id)) return id;
    id = `${first}-${nth}`;
  }
};

/** Rules with the ids they came with, and made ones for the others. */
export const withIds = <R extends Readonly<{ id?: string }>>(
  rules: readonly R[],
  present: readonly Readonly<{ id: string }>[],
): readonly (R & Readonly<{ id: string }>)[] => {
  const taken = new Set([...present, ...rules].flatMap(({ id }) => id ?? []));
  return rules.map((rule) => {
    const id = rule.id ?? ruleIdOf(JSON.parse(JSON.stringify(rule)) as Json, taken);
    taken.add(id);
    return { ...rule, id };
  });
};

type Identified = Readonly<{ id: string }>;

/** Where a rule goes: in front of another one, or at a place counted from 0; to the end without either. */
export type RulePlace = Readonly<{ before?: string; position?: number }>;

/** Rules of one flag in one environment, or of one segment. */
export const MAX_RULES = 200;

/** @throws DomainError `rule-not-found` */
export const requireRule = <R extends Identified>(rules: readonly R[], id: string): R => {
  const found = rules.find((rule) => rule.id === id);
  if (found === undefined) throw new DomainError('rule-not-found', `There is no rule '${id}'.`);
  return found;
};

/** @throws DomainError `too-many-rules`, `duplicate-rule` */
export const requireRuleList = (rules: readonly Identified[]): void => {
  if (rules.length > MAX_RULES) {
    throw new DomainError(
      'too-many-rules',
      `There would be ${rules.length} rules; at most ${MAX_RULES} are allowed.`,
    );
  }
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) throw new DomainError('duplicate-rule', `Two rules have the id '${id}'.`);
    ids.add(id);
  }
};

/** @throws DomainError `rule-not-found` for an unknown rule to go in front of */
export const inserted = <R extends Identified>(
  rules: readonly R[],
  rule: R,
  { before, position = rules.length }: RulePlace,
): readonly R[] => {
  const place = before === undefined ? position : rules.indexOf(requireRule(rules, before));
  return rules.toSpliced(place, 0, rule);
};

/** @throws DomainError `rule-not-found` */
export const moved = <R extends Identified>(
  rules: readonly R[],
  id: string,
  place: RulePlace,
): readonly R[] => {
  const rule = requireRule(rules, id);
  if (place.before === id) return rules;
  return inserted(without(rules, id), rule, place);
};

/** @throws DomainError `rule-not-found` */
export const without = <R extends Identified>(rules: readonly R[], id: string): readonly R[] => {
  const rule = requireRule(rules, id);
  return rules.filter((candidate) => candidate !== rule);
};

/** The list with this rule in the place of the one with its id. */
export const replaced = <R extends Identified>(rules: readonly R[], rule: R): readonly R[] =>
  rules.map((candidate) => (candidate.id === rule.id ? rule : candidate));
