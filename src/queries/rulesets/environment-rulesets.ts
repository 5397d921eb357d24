import { type EvaluationPorts } from '../../domain/evaluation/clauses/clause.js';
import { compileSegment } from '../../domain/evaluation/clauses/compile-segment.js';
import { type CompiledSegment } from '../../domain/evaluation/clauses/compiled-clause.js';
import { compile, type CompiledFlag } from '../../domain/evaluation/compile.js';
import { type Context } from '../../domain/evaluation/context.js';
import { evaluate } from '../../domain/evaluation/evaluate.js';
import {
  type ContentChanges,
  type EnvironmentContents,
} from '../../domain/evaluation/environment-contents.js';
import { type Resolution } from '../../domain/evaluation/resolution.js';
import { type Ruleset } from '../../domain/evaluation/ruleset.js';
import { type Answer, prepareAnswer } from './answer.js';

/** What evaluating all flags walks through: flags that look at the context, and the text between them. */
type Part = string | CompiledFlag<Answer>;

/** The compiled flags and segments of one environment. Never changed: a change makes a new one. */
export type EnvironmentRulesets = Readonly<{
  flags: ReadonlyMap<string, CompiledFlag<Answer>>;
  segments: ReadonlyMap<string, CompiledSegment>;
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

const preparing =
  ({ metadata }: Ruleset) =>
  (resolution: Resolution): Answer =>
    prepareAnswer(resolution, metadata);

const environmentOf = (
  flags: ReadonlyMap<string, CompiledFlag<Answer>>,
  segments: ReadonlyMap<string, CompiledSegment>,
): EnvironmentRulesets => {
  let parts: readonly Part[] | undefined;
  return { flags, segments, parts: () => (parts ??= partsOf(flags.values())) };
};

export const EMPTY_ENVIRONMENT: EnvironmentRulesets = environmentOf(new Map(), new Map());

/** The environment after some flags and segments have changed; `null` removes one. */
export const changeEnvironment = (
  before: EnvironmentRulesets,
  changes: ContentChanges,
  ports: EvaluationPorts,
): EnvironmentRulesets => {
  const flags = new Map(before.flags);
  for (const [key, ruleset] of changes.flags) {
    if (ruleset === null) flags.delete(key);
    else flags.set(key, compile(ruleset, preparing(ruleset), ports));
  }
  const segments = new Map(before.segments);
  for (const [key, definition] of changes.segments) {
    if (definition === null) segments.delete(key);
    else segments.set(key, compileSegment(definition, ports));
  }
  return environmentOf(flags, segments);
};

/** Compiles a whole environment. */
export const compileEnvironment = (
  contents: EnvironmentContents,
  ports: EvaluationPorts,
): EnvironmentRulesets => changeEnvironment(EMPTY_ENVIRONMENT, contents, ports);

/** The members of the map of all flags, as JSON text without the braces around it. */
export const evaluateMembers = (environment: EnvironmentRulesets, context: Context): string => {
  let text = '';
  for (const part of environment.parts()) {
    const member = typeof part === 'string' ? part : evaluate(part, context, environment).member;
    text += text === '' ? member.slice(1) : member;
  }
  return text;
};
