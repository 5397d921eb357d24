import {
  type AnyOfClause,
  type AttributeClause,
  type Clause,
  type SegmentClause,
  type SimpleClause,
} from '../../targeting/clause.js';
import { type RegexCompiler } from '../../targeting/regex-compiler.js';
import { attributeReader } from '../context.js';
import { valueTests } from '../operators/operators.js';
import { spendOnText } from '../work.js';
import {
  type CompiledAttributeClause,
  type CompiledClause,
  type CompiledGroup,
  type CompiledSegmentClause,
  type CompiledSimpleClause,
  type Condition,
} from './compiled-clause.js';
import { membership } from './membership.js';
import { FALSE, TRUE, type Truth, UNKNOWN } from './truth.js';

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
