import { compileSegment } from '../../src/domain/evaluation/clauses.js';
import { compile, type CompiledFlag } from '../../src/domain/evaluation/compile.js';
import { type Context } from '../../src/domain/evaluation/context.js';
import { evaluate, type EvaluationEnvironment } from '../../src/domain/evaluation/evaluate.js';
import {
  type Resolution,
  type Ruleset,
  type SegmentDefinition,
} from '../../src/domain/evaluation/ruleset.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';

export { compileRegex };

/** 2026-03-01T12:00:00Z: when everything is evaluated unless said otherwise. */
export const NOW_MS = 1_772_366_400_000;

export const aContext = (
  targetingKey?: string,
  attributes: Context['attributes'] = {},
  nowMs = NOW_MS,
): Context => ({ targetingKey, attributes, nowMs });

export type Resolved = Readonly<{ resolution: Resolution }>;

export const compiled = (ruleset: Ruleset): CompiledFlag<Resolved> =>
  compile(ruleset, (resolution) => ({ resolution }), { compileRegex });

/** A segment without keys and rules, but for what is said otherwise. */
export const aSegment = (
  key: string,
  more: Partial<SegmentDefinition> = {},
): SegmentDefinition => ({
  key,
  revision: 0,
  position: 7,
  included: [],
  excluded: [],
  rules: [],
  ...more,
});

export const anEnvironment = (
  rulesets: readonly Ruleset[],
  segments: readonly SegmentDefinition[] = [],
): EvaluationEnvironment<Resolved> => ({
  flags: new Map(rulesets.map((ruleset) => [ruleset.key, compiled(ruleset)])),
  segments: new Map(
    segments.map((segment) => [segment.key, compileSegment(segment, { compileRegex })]),
  ),
});

/** What a flag resolves to, in an environment with these others. */
export const resolve = (
  ruleset: Ruleset,
  context: Context = aContext('anna'),
  others: readonly Ruleset[] = [],
  segments: readonly SegmentDefinition[] = [],
): Resolution =>
  evaluate(compiled(ruleset), context, anEnvironment([...others, ruleset], segments)).resolution;
