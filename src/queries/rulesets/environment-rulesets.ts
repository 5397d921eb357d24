import { type EvaluationPorts } from '../../domain/evaluation/clauses/clause.js';
import { compileSegment } from '../../domain/evaluation/clauses/compile-segment.js';
import { type CompiledSegment } from '../../domain/evaluation/clauses/compiled-clause.js';
import { compile, type CompiledFlag } from '../../domain/evaluation/compile.js';
import { type Context } from '../../domain/evaluation/context.js';
import { evaluateNext } from '../../domain/evaluation/evaluate.js';
import { beginRequest } from '../../domain/evaluation/work.js';
import {
  type ContentChanges,
  type EnvironmentContents,
} from '../../domain/evaluation/environment-contents.js';
import { type Resolution } from '../../domain/evaluation/resolution.js';
import { type Ruleset } from '../../domain/evaluation/ruleset.js';
import { type Answer, prepareAnswer } from './answer.js';

/** The text of an answer that evaluating all flags puts together: our own map's member, or OFREP's item. */
export type PartOf = 'member' | 'item';

/** What evaluating all flags walks through: flags that look at the context, and the text between them. */
type Part = string | CompiledFlag<Answer>;

/** The compiled flags and segments of one environment. Never changed: a change makes a new one. */
export type EnvironmentRulesets = Readonly<{
  flags: ReadonlyMap<string, CompiledFlag<Answer>>;
  segments: ReadonlyMap<string, CompiledSegment>;
  /** In the order of the flags' keys. Made on first use, so that a row of changes does not make it each time. */
  parts: (of: PartOf) => readonly Part[];
}>;

const withoutContext = (texts: readonly string[]): readonly string[] =>
  texts.length === 0 ? [] : [texts.join('')];

const partsOf = (flags: Iterable<CompiledFlag<Answer>>, of: PartOf): readonly Part[] => {
  const sorted = [...flags].sort((a, b) => (a.ruleset.key < b.ruleset.key ? -1 : 1));
  const parts: Part[] = [];
  let constants: string[] = [];
  for (const flag of sorted) {
    if (flag.constant !== undefined) constants.push(flag.constant[of]);
    else {
      parts.push(...withoutContext(constants), flag);
      constants = [];
    }
  }
  return [...parts, ...withoutContext(constants)];
};

const once = <T>(make: () => T): (() => T) => {
  let made: Readonly<{ value: T }> | undefined;
  return () => (made ??= { value: make() }).value;
};

const preparing =
  ({ metadata }: Ruleset) =>
  (resolution: Resolution): Answer =>
    prepareAnswer(resolution, metadata);

const environmentOf = (
  flags: ReadonlyMap<string, CompiledFlag<Answer>>,
  segments: ReadonlyMap<string, CompiledSegment>,
): EnvironmentRulesets => {
  const members = once(() => partsOf(flags.values(), 'member'));
  const items = once(() => partsOf(flags.values(), 'item'));
  return {
    flags,
    segments,
    parts: (of) => (of === 'member' ? members() : items()),
  };
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

/** What all flags are for a context, as JSON text without the brackets around it. */
export const evaluateAll = (
  environment: EnvironmentRulesets,
  context: Context,
  of: PartOf,
): string => {
  beginRequest();
  let text = '';
  for (const part of environment.parts(of)) {
    const next = typeof part === 'string' ? part : evaluateNext(part, context, environment)[of];
    text += text === '' ? next.slice(1) : next;
  }
  return text;
};
