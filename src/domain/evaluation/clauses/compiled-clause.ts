import { type SegmentRule } from '../../segment/events.js';
import {
  type AnyOfClause,
  type AttributeClause,
  type SegmentClause,
} from '../../targeting/clause.js';
import { type Context, type ReadAttribute } from '../context.js';
import { type SegmentDefinition } from '../segment-definition.js';
import { type Memo } from '../work.js';
import { TRUE, type Truth } from './truth.js';

/** Clauses made ready; what they were made of is kept for explaining. `depth`: segments it is asked within. */
export type Condition = (context: Context, segments: Segments, depth: number) => Truth;

export type CompiledAttributeClause = Readonly<{
  clause: AttributeClause;
  read: ReadAttribute;
  holds: Condition;
}>;
export type CompiledSegmentClause = Readonly<{ clause: SegmentClause; holds: Condition }>;
export type CompiledSimpleClause = CompiledAttributeClause | CompiledSegmentClause;
export type CompiledGroup = Readonly<{
  clause: AnyOfClause;
  members: readonly CompiledSimpleClause[];
  holds: Condition;
}>;
export type CompiledClause = CompiledSimpleClause | CompiledGroup;

/** All its conditions must be true. */
export type CompiledSegmentRule = Readonly<{
  rule: SegmentRule;
  clauses: readonly CompiledClause[];
  conditions: readonly Condition[];
}>;

export type CompiledSegment = Readonly<{
  definition: SegmentDefinition;
  included: ReadonlySet<string>;
  excluded: ReadonlySet<string>;
  rules: readonly CompiledSegmentRule[];
  /** Clauses of all rules. */
  clauses: number;
  /** Whether the context of the evaluation under way is in it. */
  memo: Memo<Truth>;
}>;

/** The segments of an environment, by key. */
export type Segments = ReadonlyMap<string, CompiledSegment>;

/** Whether all are true: one that is false or unknown keeps its rule from matching. */
export const areAllTrue = (
  conditions: readonly Condition[],
  context: Context,
  segments: Segments,
  depth: number,
): boolean => {
  for (const holds of conditions) if (holds(context, segments, depth) !== TRUE) return false;
  return true;
};
