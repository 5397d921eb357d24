import { type Rule, wholeVariant } from '../flag/configuration.js';
import { type Json } from '../json.js';
import { type AttributeClause, type Clause } from '../targeting/clause.js';
import {
  areAllTrue,
  compileClauses,
  type CompiledClause,
  type Condition,
  type EvaluationPorts,
  type Segments,
} from './clauses.js';
import { attributeReader, type Context, type ReadAttribute } from './context.js';
import { compileLogic, type Logic } from './logic/compile.js';
import { type Reason } from './ruleset.js';
import { type CompiledSplit, compileSplit, splitAnswer } from './split.js';

/** The answer for a variant; `null` is none, undefined one that the flag does not have: an error. */
export type AnswerFor<Answer> = (
  variant: string | null | undefined,
  reason: Reason,
  ruleId?: string,
) => Answer;

type CompiledLogic<Answer> = Readonly<{
  run: Logic;
  /** By the name of the variant; another name, and an expression that fails, gets `unknown`. */
  answers: ReadonlyMap<string, Answer>;
  unknown: Answer;
}>;

/** What a rule serves is one of the three. */
export type CompiledRule<Answer> = Readonly<{
  rule: Rule;
  clauses: readonly CompiledClause[];
  conditions: readonly Condition[];
  answer: Answer | undefined;
  split: CompiledSplit<Answer> | undefined;
  logic: CompiledLogic<Answer> | undefined;
}>;

/** The flag that a rule belongs to. */
type RuleOwner<Answer> = Readonly<{
  key: string;
  salt: string;
  variants: readonly Readonly<{ name: string }>[];
  answer: AnswerFor<Answer>;
}>;

const compiledLogic = <Answer>(
  logic: Json,
  ruleId: string,
  { key, variants, answer }: RuleOwner<Answer>,
): CompiledLogic<Answer> => ({
  run: compileLogic(logic, key),
  answers: new Map(variants.map(({ name }) => [name, answer(name, 'TARGETING_MATCH', ruleId)])),
  unknown: answer(undefined, 'TARGETING_MATCH', ruleId),
});

const compileServe = <Answer>({ id, serve }: Rule, owner: RuleOwner<Answer>) => {
  const nothing = { answer: undefined, split: undefined, logic: undefined };
  if ('logic' in serve) return { ...nothing, logic: compiledLogic(serve.logic, id, owner) };
  if ('split' in serve) {
    const answer = (variant: string) => owner.answer(variant, 'SPLIT', id);
    const whole = wholeVariant(serve.split);
    if (whole !== undefined) return { ...nothing, answer: answer(whole) };
    return { ...nothing, split: compileSplit(serve.split, owner.salt, answer) };
  }
  return { ...nothing, answer: owner.answer(serve.variant, 'TARGETING_MATCH', id) };
};

export const compileRule = <Answer>(
  rule: Rule,
  owner: RuleOwner<Answer>,
  ports: EvaluationPorts,
): CompiledRule<Answer> => ({
  rule,
  ...compileClauses(rule.clauses, ports),
  ...compileServe(rule, owner),
});

/** Undefined when the expression chooses no variant. One that fails is an error, as in flagd. */
const logicAnswer = <Answer>(
  { run, answers, unknown }: CompiledLogic<Answer>,
  context: Context,
): Answer | undefined => {
  const name = run(context);
  if (name === null) return undefined;
  return name === undefined ? unknown : (answers.get(name) ?? unknown);
};

/** What a rule that matches serves; undefined when it has nothing for this context: the next rule is tried. */
export const servedBy = <Answer>(
  { answer, split, logic }: CompiledRule<Answer>,
  context: Context,
): Answer | undefined => {
  if (answer !== undefined) return answer;
  if (split !== undefined) return splitAnswer(split, context);
  return logic === undefined ? undefined : logicAnswer(logic, context);
};

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

/** What is served by the first rule, in order, that matches and has something to serve. */
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
