import { type SegmentDefinition } from '../segment-definition.js';
import { compileClauses, type EvaluationPorts } from './clause.js';
import { type CompiledSegment } from './compiled-clause.js';

/** Does once, when a segment changes, what need not be done per evaluation. */
export const compileSegment = (
  definition: SegmentDefinition,
  ports: EvaluationPorts,
): CompiledSegment => ({
  definition,
  included: new Set(definition.included),
  excluded: new Set(definition.excluded),
  rules: definition.rules.map((rule) => ({ rule, ...compileClauses(rule.clauses, ports) })),
});
