import { type CompiledFlag } from '../../domain/evaluation/compile.js';
import { type Context } from '../../domain/evaluation/context.js';
import { evaluate } from '../../domain/evaluation/evaluate.js';
import { type Answer } from './answer.js';
import { type EnvironmentRulesets } from './environment-rulesets.js';

/** Flags that look at the context, and the text of those between them. */
type Part = string | CompiledFlag<Answer>;

const partsOf = ({ flags }: EnvironmentRulesets): readonly Part[] => {
  const sorted = [...flags.values()].sort((a, b) => (a.ruleset.key < b.ruleset.key ? -1 : 1));
  const parts: Part[] = [];
  let constants: string[] = [];
  const closeText = (): void => {
    if (constants.length > 0) parts.push(constants.join(','));
    constants = [];
  };
  for (const flag of sorted) {
    if (flag.constant === undefined) {
      closeText();
      parts.push(flag);
    } else constants.push(flag.constant.ofrep);
  }
  closeText();
  return parts;
};

const known = new WeakMap<EnvironmentRulesets, readonly Part[]>();

/** Made on first use: an environment never changes, and is forgotten with its parts when another takes its place. */
const partsIn = (environment: EnvironmentRulesets): readonly Part[] => {
  let parts = known.get(environment);
  if (parts === undefined) {
    parts = partsOf(environment);
    known.set(environment, parts);
  }
  return parts;
};

/** JSON text: OFREP's items for every flag, in the order of their keys, without the brackets. */
export const ofrepItems = (environment: EnvironmentRulesets, context: Context): string => {
  let text = '';
  for (const part of partsIn(environment)) {
    const item = typeof part === 'string' ? part : evaluate(part, context, environment).ofrep;
    text = text === '' ? item : `${text},${item}`;
  }
  return text;
};

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
