import { type Rule } from '../flag/configuration.js';
import { type AttributeClause, type Clause } from '../targeting/clause.js';
import { areAllTrue, type Segments } from './clauses/compiled-clause.js';
import { attributeReader, type Context, type ReadAttribute } from './context.js';
import { type CompiledRule, servedBy } from './rule.js';

/**
 * Rules that follow one another. Where all of them ask an attribute for one of some texts, `byText` has those that a
 * text can match, in their order: a long row of such rules costs one look-up.
 */
export type RuleStep<Answer> = Readonly<{
  rules: readonly CompiledRule<Answer>[];
  byText:
    | Readonly<{ read: ReadAttribute; rules: ReadonlyMap<string, readonly CompiledRule<Answer>[]> }>
    | undefined;
}>;

/** Shorter rows are tried one after the other. */
const LONG_ROW = 4;

const asksForText = (clause: Clause): clause is AttributeClause =>
  'operator' in clause &&
  clause.operator === 'in' &&
  clause.negate === undefined &&
  clause.ignoreCase === undefined &&
  clause.values.every((value) => typeof value === 'string');

const textClauses = ({ clauses }: Rule): readonly AttributeClause[] => clauses.filter(asksForText);

/** The attribute that the row from `first` on asks for texts the longest, and where that row ends. */
const rowFrom = (
  rules: readonly CompiledRule<unknown>[],
  first: number,
): Readonly<{ attribute: string; end: number }> => {
  let longest = { attribute: '', end: first };
  const attributes = rules[first] === undefined ? [] : textClauses(rules[first].rule);
  for (const { attribute } of attributes) {
    let end = first;
    for (const { rule } of rules.slice(first)) {
      if (!textClauses(rule).some((clause) => clause.attribute === attribute)) break;
      end += 1;
    }
    if (end > longest.end) longest = { attribute, end };
  }
  return longest;
};

const byText = <Answer>(
  rules: readonly CompiledRule<Answer>[],
  attribute: string,
): ReadonlyMap<string, readonly CompiledRule<Answer>[]> => {
  const map = new Map<string, CompiledRule<Answer>[]>();
  for (const compiled of rules) {
    const clause = textClauses(compiled.rule).find((one) => one.attribute === attribute);
    for (const value of new Set(clause?.values)) {
      const text = String(value);
      const before = map.get(text);
      if (before === undefined) map.set(text, [compiled]);
      else before.push(compiled);
    }
  }
  return map;
};

/** Groups rules, in their order, so that long rows of like rules need not be tried one by one. */
export const ruleSteps = <Answer>(
  rules: readonly CompiledRule<Answer>[],
): readonly RuleStep<Answer>[] => {
  const steps: RuleStep<Answer>[] = [];
  let single: CompiledRule<Answer>[] = [];
  const closeSingle = (): void => {
    if (single.length > 0) steps.push({ rules: single, byText: undefined });
    single = [];
  };
  for (let next = 0; next < rules.length;) {
    const { attribute, end } = rowFrom(rules, next);
    const row = rules.slice(next, Math.max(end, next + 1));
    if (row.length < LONG_ROW) single.push(...row);
    else {
      closeSingle();
      const read = attributeReader(attribute);
      steps.push({ rules: row, byText: { read, rules: byText(row, attribute) } });
    }
    next += row.length;
  }
  closeSingle();
  return steps;
};

const NONE: readonly never[] = [];

/** The rules of a step that can match: a list or a number as attribute is left to the rules themselves. */
const candidates = <Answer>(
  step: RuleStep<Answer>,
  context: Context,
): readonly CompiledRule<Answer>[] => {
  if (step.byText === undefined) return step.rules;
  const value = step.byText.read(context);
  return typeof value === 'string' ? (step.byText.rules.get(value) ?? NONE) : step.rules;
};

/** Of the rules in order, what the first serves that matches and has something to serve. */
export const ruleAnswer = <Answer>(
  steps: readonly RuleStep<Answer>[],
  context: Context,
  segments: Segments,
): Answer | undefined => {
  for (const step of steps) {
    for (const rule of candidates(step, context)) {
      if (!areAllTrue(rule.conditions, context, segments, 0)) continue;
      const served = servedBy(rule, context);
      if (served !== undefined) return served;
    }
  }
  return undefined;
};
