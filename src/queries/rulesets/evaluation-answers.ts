import { type Context } from '../../domain/evaluation/context.js';
import { evaluate } from '../../domain/evaluation/evaluate.js';
import { type EnvironmentRulesets, evaluateMembers } from './environment-rulesets.js';

/** The flags of one environment at one log position. */
export type EnvironmentAt = Readonly<{ environment: EnvironmentRulesets; position: number }>;

/** JSON text: what one flag is for a context. A flag that is not there is an answer too, never an error. */
export const flagAnswer = (
  { environment, position }: EnvironmentAt,
  flagKey: string,
  context: Context,
): string => {
  const flag = environment.flags.get(flagKey);
  const opened =
    flag === undefined
      ? `{"flagKey":${JSON.stringify(flagKey)},"reason":"ERROR","errorCode":"FLAG_NOT_FOUND"`
      : evaluate(flag, context).alone;
  return `${opened},"position":${position}}`;
};

/** JSON text: what every flag of the environment is for a context, in the order of their keys. */
export const allFlagsAnswer = (
  { environment, position }: EnvironmentAt,
  context: Context,
): string => `{"flags":{${evaluateMembers(environment, context)}},"position":${position}}`;
