import { type SegmentDefinition } from '../segment-definition.js';
import { compileClauses, countClauses, type EvaluationPorts } from './clause.js';
import { emptyMemo } from '../work.js';
import { type CompiledSegment } from './compiled-clause.js';
import { type Truth, UNKNOWN } from './truth.js';

/** Does once, when a segment changes, what need not be done per evaluation. */
export const compileSegment = (
  definition: SegmentDefinition,
  ports: EvaluationPorts,
): CompiledSegment => ({
  definition,
  included: new Set(definition.included),
  excluded: new Set(definition.excluded),
  rules: definition.rules.map((rule) => ({ rule, ...compileClauses(rule.clauses, ports) })),
  clauses: definition.rules.reduce((sum, { clauses }) => sum + countClauses(clauses), 0),
  memo: emptyMemo<Truth>(UNKNOWN),
});
