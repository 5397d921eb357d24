import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../domain/json.js';

const LENGTH = 8;

/**
 * An id for a rule that came without one: made of what the rule says, so that the same command again, or a dry run of
 * it, makes the same.
 */
export const ruleIdOf = (rule: Json, taken: ReadonlySet<string>): string => {
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
