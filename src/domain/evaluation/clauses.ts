import { type SegmentRule } from '../segment.js';
import {
  type AnyOfClause,
  type AttributeClause,
  type Clause,
  MAX_REFERENCE_DEPTH,
  type RegexCompiler,
  type SegmentClause,
  type SimpleClause,
} from '../targeting/clause.js';
import { attributeReader, type Context, type ReadAttribute } from './context.js';
import { valueTests } from './operators/operators.js';
import { type SegmentDefinition } from './ruleset.js';
import { FALSE, TRUE, type Truth, UNKNOWN } from './truth.js';
import { emptyMemo, isKnown, type Memo, memorize, spend, spendOnText } from './work.js';

/** Clauses made ready; what they were made of is kept for explaining. `depth`: segments it is asked within. */
export type Condition = (context: Context, segments: Segments, depth: number) => Truth;

export type CompiledAttributeClause = Readonly<{
  clause: AttributeClause;
  read: ReadAttribute;
  holds: Condition;
}>;
export type CompiledSegmentClause = Readonly<{ clause: SegmentClause; holds: Condition }>;
export type CompiledSimpleClause = CompiledAttributeClause | CompiledSegmentClause;
type CompiledGroup = Readonly<{
  clause: AnyOfClause;
  members: readonly CompiledSimpleClause[];
  holds: Condition;
}>;
export type CompiledClause = CompiledSimpleClause | CompiledGroup;

/** All its conditions must be true. */
type CompiledSegmentRule = Readonly<{
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

const isListed = (segment: CompiledSegment, targetingKey: string | undefined): Truth => {
  if (targetingKey === undefined) return UNKNOWN;
  if (segment.excluded.has(targetingKey)) return FALSE;
  return segment.included.has(targetingKey) ? TRUE : UNKNOWN;
};

const byRules = (
  { rules, clauses, memo }: CompiledSegment,
  context: Context,
  segments: Segments,
  depth: number,
): Truth => {
  if (isKnown(memo)) return memo.value;
  // A segment that contains itself decides nothing.
  memorize(memo, UNKNOWN);
  spend(clauses);
  for (const { conditions } of rules)
    if (areAllTrue(conditions, context, segments, depth + 1)) return memorize(memo, TRUE);
  return memorize(memo, FALSE);
};

/**
 * Whether the context is in a segment: excluded keys are not, included ones are, and else whom any rule matches.
 * Unknown for a segment that is not there, and for one within too many others.
 */
export const membership = (
  key: string,
  context: Context,
  segments: Segments,
  depth: number,
): Truth => {
  const segment = segments.get(key);
  if (segment === undefined || depth > MAX_REFERENCE_DEPTH) return UNKNOWN;
  const listed = isListed(segment, context.targetingKey);
  if (listed !== UNKNOWN) return listed;
  return segment.rules.length === 0 ? FALSE : byRules(segment, context, segments, depth);
};

/** What compiling needs of the outside. */
export type EvaluationPorts = Readonly<{ compileRegex: RegexCompiler }>;

/** The truth value that counts as false: of a negated clause it is the true one. */
const falseWhen = (negate: true | undefined): Truth => (negate === true ? TRUE : FALSE);

const settled = (truth: Truth, whenFalse: Truth): Truth => {
  if (truth === UNKNOWN) return UNKNOWN;
  return truth === whenFalse ? FALSE : TRUE;
};

const compileAttributeClause = (
  clause: AttributeClause,
  { compileRegex }: EvaluationPorts,
): CompiledAttributeClause => {
  const read = attributeReader(clause.attribute);
  const { ofScalar, ofObject } = valueTests(clause, compileRegex);
  const whenFalse = falseWhen(clause.negate);
  const holds: Condition = (context) => {
    const value = read(context);
    if (typeof value === 'string') spendOnText(value.length);
    return settled(typeof value === 'object' ? ofObject(value) : ofScalar(value), whenFalse);
  };
  return { clause, read, holds };
};

const compileSegmentClause = (clause: SegmentClause): CompiledSegmentClause => {
  const { segments: keys } = clause;
  const whenFalse = falseWhen(clause.negate);
  const holds: Condition = (context, segments, depth) => {
    let truth: Truth = FALSE;
    for (const key of keys) {
      const one = membership(key, context, segments, depth);
      if (one === TRUE) return settled(TRUE, whenFalse);
      if (one === UNKNOWN) truth = UNKNOWN;
    }
    return settled(truth, whenFalse);
  };
  return { clause, holds };
};

const compileSimpleClause = (clause: SimpleClause, ports: EvaluationPorts): CompiledSimpleClause =>
  'segments' in clause ? compileSegmentClause(clause) : compileAttributeClause(clause, ports);

const compileGroup = (clause: AnyOfClause, ports: EvaluationPorts): CompiledGroup => {
  const members = clause.anyOf.map((member) => compileSimpleClause(member, ports));
  const holds: Condition = (context, segments, depth) => {
    let truth: Truth = FALSE;
    for (const member of members) {
      const one = member.holds(context, segments, depth);
      if (one === TRUE) return TRUE;
      if (one === UNKNOWN) truth = UNKNOWN;
    }
    return truth;
  };
  return { clause, members, holds };
};

export const compileClause = (clause: Clause, ports: EvaluationPorts): CompiledClause =>
  'anyOf' in clause ? compileGroup(clause, ports) : compileSimpleClause(clause, ports);

/** Clauses, counting those of groups. */
export const countClauses = (clauses: readonly Clause[]): number =>
  clauses.reduce((sum, clause) => sum + ('anyOf' in clause ? clause.anyOf.length : 1), 0);

export const compileClauses = (
  clauses: readonly Clause[],
  ports: EvaluationPorts,
): Readonly<{ clauses: readonly CompiledClause[]; conditions: readonly Condition[] }> => {
  const compiled = clauses.map((clause) => compileClause(clause, ports));
  return { clauses: compiled, conditions: compiled.map(({ holds }) => holds) };
};

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
