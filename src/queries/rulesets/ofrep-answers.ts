import { type Context } from '../../domain/evaluation/context.js';
import { evaluate } from '../../domain/evaluation/evaluate.js';
import { type EnvironmentRulesets } from './environment-rulesets.js';

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
