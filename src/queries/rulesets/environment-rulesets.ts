import { compile, type CompiledFlag } from '../../domain/evaluation/compile.js';
import { type Context } from '../../domain/evaluation/context.js';
import { evaluate } from '../../domain/evaluation/evaluate.js';
import {
  type ContentChanges,
  type EnvironmentContents,
} from '../../domain/evaluation/environment-contents.js';
import { type SegmentDefinition } from '../../domain/evaluation/segment-definition.js';
import { type Answer, prepareAnswer } from './answer.js';

/** What evaluating all flags walks through: flags that look at the context, and the text between them. */
type Part = string | CompiledFlag<Answer>;

/** The compiled flags of one environment. Never changed: a change makes a new one. */
export type EnvironmentRulesets = Readonly<{
  flags: ReadonlyMap<string, CompiledFlag<Answer>>;
  /** What the segments were compiled from. */
  definitions: ReadonlyMap<string, SegmentDefinition>;
  /** In the order of the flags' keys; made on first use, so that a row of changes does not make it each time. */
  parts: () => readonly Part[];
}>;

const withoutContext = (texts: readonly string[]): readonly string[] =>
  texts.length === 0 ? [] : [texts.join('')];

const partsOf = (flags: Iterable<CompiledFlag<Answer>>): readonly Part[] => {
  const sorted = [...flags].sort((a, b) => (a.ruleset.key < b.ruleset.key ? -1 : 1));
  const parts: Part[] = [];
  let constants: string[] = [];
  for (const flag of sorted) {
    if (flag.constant !== undefined) constants.push(flag.constant.member);
    else {
      parts.push(...withoutContext(constants), flag);
      constants = [];
    }
  }
  return [...parts, ...withoutContext(constants)];
};

const environmentOf = (
  flags: ReadonlyMap<string, CompiledFlag<Answer>>,
  definitions: ReadonlyMap<string, SegmentDefinition>,
): EnvironmentRulesets => {
  let parts: readonly Part[] | undefined;
  return { flags, definitions, parts: () => (parts ??= partsOf(flags.values())) };
};

export const EMPTY_ENVIRONMENT: EnvironmentRulesets = environmentOf(new Map(), new Map());

/** The environment after some flags and segments have changed; `null` removes one. */
export const changeEnvironment = (
  before: EnvironmentRulesets,
  changes: ContentChanges,
): EnvironmentRulesets => {
  const flags = new Map(before.flags);
  for (const [key, ruleset] of changes.flags) {
    if (ruleset === null) flags.delete(key);
    else flags.set(key, compile(ruleset, prepareAnswer));
  }
  const definitions = new Map(before.definitions);
  for (const [key, definition] of changes.segments) {
    if (definition === null) definitions.delete(key);
    else definitions.set(key, definition);
  }
  return environmentOf(flags, definitions);
};

/** Compiles a whole environment. */
export const compileEnvironment = (contents: EnvironmentContents): EnvironmentRulesets =>
  changeEnvironment(EMPTY_ENVIRONMENT, contents);

/** The members of the map of all flags, as JSON text without the braces around it. */
export const evaluateMembers = (environment: EnvironmentRulesets, context: Context): string => {
  let text = '';
  for (const part of environment.parts()) {
    const member = typeof part === 'string' ? part : evaluate(part, context).member;
    text += text === '' ? member.slice(1) : member;
  }
  return text;
};
