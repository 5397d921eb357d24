import { type Rule, wholeVariant } from '../flag/configuration.js';
import { type Json } from '../json.js';
import { compileClauses, type EvaluationPorts } from './clauses/clause.js';
import { type CompiledClause, type Condition } from './clauses/compiled-clause.js';
import { type Context } from './context.js';
import { compileLogic, type Logic } from './logic/compile-logic.js';
import { type Reason } from './resolution.js';
import { type CompiledSplit, compileSplit, splitAnswer } from './split.js';

/** The answer for a variant; `null` is none, undefined one that the flag does not have: an error. */
export type AnswerFor<Answer> = (
  variant: string | null | undefined,
  reason: Reason,
  ruleId?: string,
) => Answer;

export type CompiledLogic<Answer> = Readonly<{
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
export type RuleOwner<Answer> = Readonly<{
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
