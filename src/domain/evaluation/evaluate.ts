import { MAX_REFERENCE_DEPTH } from '../targeting/clause.js';
import { type CompiledSegment } from './clauses.js';
import { type CompiledFlag } from './compile.js';
import { type Context } from './context.js';
import { type Resolution } from './ruleset.js';
import { ruleAnswer } from './rules.js';
import { splitAnswer } from './split.js';
import { beginFlag, beginRequest, giveUp, isKnown, memorize, spend } from './work.js';

/** All flags and segments that an evaluation may look at, as they stand at one log position. */
export type EvaluationEnvironment<Answer> = Readonly<{
  flags: ReadonlyMap<string, CompiledFlag<Answer>>;
  segments: ReadonlyMap<string, CompiledSegment>;
}>;

/** What evaluating looks at in an answer: prerequisites at its variant. */
export type Resolved = Readonly<{ resolution: Resolution }>;

/** Every prerequisite is a flag of the environment that serves one of the variants, for whatever reason. */
const arePrerequisitesMet = <Answer extends Resolved>(
  { prerequisites }: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
  depth: number,
): boolean => {
  for (const { flagKey, variants } of prerequisites) {
    const flag = environment.flags.get(flagKey);
    if (flag === undefined || depth >= MAX_REFERENCE_DEPTH) return false;
    const variant = prerequisiteAnswer(flag, context, environment, depth + 1)?.resolution.variant;
    if (variant === undefined || !variants.includes(variant)) return false;
  }
  return true;
};

const targetAnswer = <Answer>(
  targets: ReadonlyMap<string, Answer>,
  { targetingKey }: Context,
): Answer | undefined =>
  targets.size === 0 || targetingKey === undefined ? undefined : targets.get(targetingKey);

/** `depth`: how many flags it is asked for as a prerequisite within. */
const evaluateWithin = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
  depth: number,
): Answer => {
  if (flag.constant !== undefined) return flag.constant;
  spend(flag.clauses);
  if (flag.prerequisites.length > 0 && !arePrerequisitesMet(flag, context, environment, depth))
    return flag.prerequisiteFailed;
  return (
    targetAnswer(flag.targets, context) ??
    ruleAnswer(flag.steps, context, environment.segments) ??
    (flag.split === undefined ? undefined : splitAnswer(flag.split, context)) ??
    flag.fallthrough
  );
};

/** Found out once an evaluation; undefined of a flag within its own prerequisites. */
export const prerequisiteAnswer = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
  depth: number,
): Answer | undefined => {
  const { memo } = flag;
  if (isKnown(memo)) return memo.value;
  memorize(memo, undefined);
  return memorize(memo, evaluateWithin(flag, context, environment, depth));
};

/** The same as `evaluate`, of a flag after the first of those that are evaluated for one context. */
export const evaluateNext = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
): Answer => {
  if (flag.constant !== undefined) return flag.constant;
  beginFlag();
  try {
    return evaluateWithin(flag, context, environment, 0);
  } catch (error) {
    giveUp(error);
    return flag.tooCostly;
  }
};

/**
 * What a flag answers for a context. Total: no clock, no I/O, never throws, and takes no more steps than it may.
 * In order: off (disabled, archived), prerequisites, individual targets, rules, fallthrough.
 */
export const evaluate = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
): Answer => {
  beginRequest();
  return evaluateNext(flag, context, environment);
};
