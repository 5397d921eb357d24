import {
  type AttributeClause,
  MAX_REFERENCE_DEPTH,
  type OperandKind,
  OPERANDS,
} from '../../targeting/clause.js';
import {
  type CompiledAttributeClause,
  type CompiledClause,
  type CompiledSegment,
  type CompiledSegmentClause,
  type CompiledSimpleClause,
  membership,
  type Segments,
} from '../clauses.js';
import { type Context } from '../context.js';
import { FALSE, TRUE, type Truth, UNKNOWN } from '../truth.js';
import {
  type AttributeExplanation,
  type ClauseExplanation,
  type Outcome,
  type RuleTrial,
  type SegmentExplanation,
  type SegmentMembership,
  type Unknown,
} from './explanation.js';

const NUMBER_OR_TEXT: readonly OperandKind[] = ['number', 'instant'];

/** Whether the operator compares single values of this type at all. */
const isComparable = ({ operator, values }: AttributeClause, value: unknown): boolean => {
  const { kind } = OPERANDS[operator];
  if (kind === 'scalar') return values.some((one) => typeof one === typeof value);
  if (NUMBER_OR_TEXT.includes(kind)) return typeof value === 'number' || typeof value === 'string';
  return typeof value === 'string';
};

const isAboutLists = ({ operator }: AttributeClause): boolean =>
  operator === 'allOf' || operator === 'noneOf' || OPERANDS[operator].kind === 'size';

/** Why the clause is unknown of this value; it is known to be. */
const whyUnknown = (clause: AttributeClause, value: unknown): Unknown => {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'element';
  return !isAboutLists(clause) && isComparable(clause, value) ? 'unreadable' : 'wrong-type';
};

/** `told`: the segments that have been explained, so that none is twice. */
export type Scope = Readonly<{
  context: Context;
  segments: Segments;
  depth: number;
  told: Set<string>;
}>;

const outcomeOf = (truth: Truth): Outcome =>
  truth === TRUE ? 'true' : truth === FALSE ? 'false' : 'unknown';

const explainAttribute = (
  { clause, read, holds }: CompiledAttributeClause,
  { context, segments, depth }: Scope,
): AttributeExplanation => {
  const value = read(context);
  const truth = holds(context, segments, depth);
  return {
    ...clause,
    ...(value !== undefined && { value }),
    outcome: outcomeOf(truth),
    ...(truth === UNKNOWN && { why: whyUnknown(clause, value) }),
  };
};

type Listed = 'excluded' | 'included' | undefined;

const listed = (segment: CompiledSegment, targetingKey: string | undefined): Listed => {
  if (targetingKey === undefined) return undefined;
  if (segment.excluded.has(targetingKey)) return 'excluded';
  return segment.included.has(targetingKey) ? 'included' : undefined;
};

/** The rules of a segment up to the one that matches. */
const explainRules = (segment: CompiledSegment, scope: Scope): readonly RuleTrial[] => {
  const inside = { ...scope, depth: scope.depth + 1 };
  const trials: RuleTrial[] = [];
  for (const { rule, clauses } of segment.rules) {
    const trial = tryRule({ ruleId: rule.id, description: rule.description, clauses }, inside);
    trials.push(trial);
    if (trial.outcome === 'true') break;
  }
  return trials;
};

const explainPresent = (segment: CompiledSegment, scope: Scope): SegmentMembership => {
  const { key, revision } = segment.definition;
  const about = { segment: key, revision };
  const because = listed(segment, scope.context.targetingKey);
  if (because !== undefined)
    return { ...about, outcome: because === 'included' ? 'true' : 'false', because };
  const rules = explainRules(segment, scope);
  return rules.some(({ outcome }) => outcome === 'true')
    ? { ...about, outcome: 'true', because: 'rule', rules }
    : { ...about, outcome: 'false', because: 'no-rule', rules };
};

const explainSegment = (key: string, scope: Scope): SegmentMembership => {
  const { context, segments, depth, told } = scope;
  const segment = segments.get(key);
  if (segment === undefined) return { segment: key, outcome: 'unknown', because: 'not-there' };
  if (depth > MAX_REFERENCE_DEPTH) return { segment: key, outcome: 'unknown', because: 'too-deep' };
  if (told.has(key)) {
    const outcome = outcomeOf(membership(key, context, segments, depth));
    return { segment: key, revision: segment.definition.revision, outcome, because: 'told' };
  }
  told.add(key);
  return explainPresent(segment, scope);
};

const explainSegments = (
  { clause, holds }: CompiledSegmentClause,
  scope: Scope,
): SegmentExplanation => ({
  ...clause,
  segments: clause.segments.map((key) => explainSegment(key, scope)),
  outcome: outcomeOf(holds(scope.context, scope.segments, scope.depth)),
});

const explainSimple = (compiled: CompiledSimpleClause, scope: Scope) =>
  'read' in compiled ? explainAttribute(compiled, scope) : explainSegments(compiled, scope);

const explainClause = (compiled: CompiledClause, scope: Scope): ClauseExplanation => {
  if (!('members' in compiled)) return explainSimple(compiled, scope);
  const { members, holds } = compiled;
  return {
    anyOf: members.map((member) => explainSimple(member, scope)),
    outcome: outcomeOf(holds(scope.context, scope.segments, scope.depth)),
  };
};

/** False when any is false, else unknown when any is unknown. */
const allOf = (outcomes: readonly Outcome[]): Outcome => {
  if (outcomes.includes('false')) return 'false';
  return outcomes.includes('unknown') ? 'unknown' : 'true';
};

export const tryRule = (
  rule: Readonly<{ ruleId: string; description: string; clauses: readonly CompiledClause[] }>,
  scope: Scope,
): RuleTrial => {
  const clauses = rule.clauses.map((clause) => explainClause(clause, scope));
  const { ruleId, description } = rule;
  return { ruleId, description, outcome: allOf(clauses.map(({ outcome }) => outcome)), clauses };
};
