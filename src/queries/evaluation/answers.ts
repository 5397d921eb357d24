import { type Context } from '../../domain/evaluation/context.js';
import { evaluate } from '../../domain/evaluation/evaluate.js';
import { explain } from '../../domain/evaluation/explain/explain.js';
import { type Explanation } from '../../domain/evaluation/explain/explanation.js';
import { type Position } from '../../domain/position.js';
import { type EnvironmentRulesets, evaluateAll } from './environment-rulesets.js';

/** One environment at one log position. */
export type EnvironmentAt = Readonly<{
  environment: EnvironmentRulesets;
  position: Position;
  /** For a past moment: the instant that is "now" there. Milliseconds since 1970. */
  instantMs?: number;
}>;

const contextAt = ({ instantMs }: EnvironmentAt, context: Context): Context =>
  instantMs === undefined ? context : { ...context, nowMs: instantMs };

/** JSON text: what one flag is for a context. A flag that is not there is an answer too, never an error. */
export const flagAnswer = (at: EnvironmentAt, flagKey: string, context: Context): string => {
  const { environment, position } = at;
  const flag = environment.flags.get(flagKey);
  const opened =
    flag === undefined
      ? `{"flagKey":${JSON.stringify(flagKey)},"reason":"ERROR","errorCode":"FLAG_NOT_FOUND"`
      : evaluate(flag, contextAt(at, context), environment).alone;
  return `${opened},"position":${position}}`;
};

/** How an answer came to be, as JSON shows it. */
const explanationOf = ({ nowMs, decidedBy, ...steps }: Explanation) => ({
  decidedBy,
  now: new Date(nowMs).toISOString(),
  ...steps,
});

/** JSON text: what one flag is for a context, and how that came to be. */
export const explainedAnswer = (at: EnvironmentAt, flagKey: string, context: Context): string => {
  const { environment, position } = at;
  const flag = environment.flags.get(flagKey);
  if (flag === undefined) return flagAnswer(at, flagKey, context);
  const { answer, explanation } = explain(flag, contextAt(at, context), environment);
  const told = JSON.stringify(explanationOf(explanation));
  return `${answer.alone},"position":${position},"explanation":${told}}`;
};

/** JSON text: what every flag of the environment is for a context, in the order of their keys. */
export const allFlagsAnswer = (at: EnvironmentAt, context: Context): string =>
  `{"flags":{${evaluateAll(at.environment, contextAt(at, context), 'member')}},"position":${at.position}}`;

/** What OFREP answers about one flag. `isFaulty`: the text is a failure. Undefined when there is no such flag. */
export const ofrepItem = (
  environment: EnvironmentRulesets,
  flagKey: string,
  context: Context,
): Readonly<{ text: string; isFaulty: boolean }> | undefined => {
  const flag = environment.flags.get(flagKey);
  if (flag === undefined) return undefined;
  const { ofrep, resolution } = evaluate(flag, context, environment);
  return { text: ofrep, isFaulty: resolution.errorCode !== undefined };
};
