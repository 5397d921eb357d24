import { MAX_REFERENCE_DEPTH } from '../targeting/clause.js';
import { type CompiledSegment } from './clauses/compiled-clause.js';
import { type CompiledFlag } from './compile.js';
import { type Context } from './context.js';
import { type Resolution } from './resolution.js';
import { ruleAnswer } from './rule-steps.js';
import { splitAnswer } from './split.js';

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
    const { variant } = evaluateWithin(flag, context, environment, depth + 1).resolution;
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
export const evaluateWithin = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
  depth: number,
): Answer => {
  if (flag.constant !== undefined) return flag.constant;
  if (flag.prerequisites.length > 0 && !arePrerequisitesMet(flag, context, environment, depth))
    return flag.prerequisiteFailed;
  return (
    targetAnswer(flag.targets, context) ??
    ruleAnswer(flag.steps, context, environment.segments) ??
    (flag.split === undefined ? undefined : splitAnswer(flag.split, context)) ??
    flag.fallthrough
  );
};

/**
 * What a flag answers for a context. Pure and total: no clock, no I/O, never throws.
 * In order: off (disabled, archived), prerequisites, individual targets, rules, fallthrough.
 */
export const evaluate = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
): Answer => evaluateWithin(flag, context, environment, 0);
