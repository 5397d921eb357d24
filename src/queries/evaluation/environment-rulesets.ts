import {
  type CompiledSegment,
  compileSegment,
  type EvaluationPorts,
} from '../../domain/evaluation/clauses.js';
import { compile, type CompiledFlag } from '../../domain/evaluation/compile.js';
import { type Context } from '../../domain/evaluation/context.js';
import { evaluateNext } from '../../domain/evaluation/evaluate.js';
import {
  type ContentChanges,
  type EnvironmentContents,
  type Resolution,
  type Ruleset,
} from '../../domain/evaluation/ruleset.js';
import { beginRequest } from '../../domain/evaluation/work.js';
import { type FlagMetadata } from '../../domain/flag/events.js';
import { canonicalJson, type Json } from '../../domain/json.js';

/** A resolution with the JSON texts that answers are put together from. */
type Answer = Readonly<{
  resolution: Resolution;
  /** The answer about this one flag, open at the end: the position is still to come. */
  alone: string;
  /** The member of the map of all flags, with the comma in front of it. */
  member: string;
  /** OFREP's answer about this one flag: a success, or a failure where the flag itself is faulty. */
  ofrep: string;
  /** The same as an item of OFREP's list of all flags, with the comma in front of it. */
  item: string;
}>;

/** Postgres does not keep the order of members, so objects are served with theirs sorted. A float is served with a fraction also when it is integral, so that typed clients read every variant alike. */
const valueText = (value: Json, isFloat: boolean): string => {
  const text = canonicalJson(value);
  return isFloat && /^-?\d+$/.test(text) ? `${text}.0` : text;
};

const membersOf = (resolution: Resolution): string => {
  const { value, variant, reason, ruleId, errorCode, flagRevision, isFloat } = resolution;
  return [
    ...(value === undefined ? [] : [`"value":${valueText(value, isFloat)}`]),
    ...(variant === undefined ? [] : [`"variant":${JSON.stringify(variant)}`]),
    `"reason":"${reason}"`,
    ...(ruleId === undefined ? [] : [`"ruleId":${JSON.stringify(ruleId)}`]),
    ...(errorCode === undefined ? [] : [`"errorCode":"${errorCode}"`]),
    `"flagRevision":${flagRevision}`,
  ].join(',');
};

/** Clients know the reasons of the specification only; a flag whose prerequisites fail is off. */
const STANDARD: Readonly<Record<string, string>> = { PREREQUISITE_FAILED: 'DISABLED' };

/** In the shapes that the clients of every language can read: reference and quirks in docs/openfeature.md. */
const ofrepText = (resolution: Resolution, metadata: FlagMetadata): string => {
  const { flagKey, value, variant, reason, errorCode, isFloat } = resolution;
  const told =
    errorCode === undefined
      ? [
          ...(value === undefined ? [] : [`"value":${valueText(value, isFloat)}`]),
          `"reason":"${STANDARD[reason] ?? reason}"`,
          ...(variant === undefined ? [] : [`"variant":${JSON.stringify(variant)}`]),
        ]
      : [
          `"errorCode":"${errorCode}"`,
          '"errorDetails":"The flag names a variant that it does not have."',
        ];
  return `{"key":${JSON.stringify(flagKey)},${told.join(',')},"metadata":${canonicalJson(metadata)}}`;
};

/** Serialises a resolution once, when its ruleset changes, for all the answers that will carry it. */
export const prepareAnswer = (resolution: Resolution, metadata: FlagMetadata = {}): Answer => {
  const key = JSON.stringify(resolution.flagKey);
  const members = membersOf(resolution);
  const ofrep = ofrepText(resolution, metadata);
  return Object.freeze({
    resolution,
    alone: `{"flagKey":${key},${members}`,
    member: `,${key}:{${members}}`,
    ofrep,
    item: `,${ofrep}`,
  });
};

/** The text of an answer that evaluating all flags puts together: our own map's member, or OFREP's item. */
type PartOf = 'member' | 'item';

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
