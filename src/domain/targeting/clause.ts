// Shapes are stored in events: add optional fields, never rename or re-mean.

/** What a clause can ask of one attribute. docs/targeting.md says what each means, row by row. */
export const OPERATORS = [
  'in',
  'contains',
  'startsWith',
  'endsWith',
  'matches',
  'numberEquals',
  'lessThan',
  'lessThanOrEqual',
  'greaterThan',
  'greaterThanOrEqual',
  'before',
  'beforeOrAt',
  'after',
  'afterOrAt',
  'semverEquals',
  'semverLessThan',
  'semverLessThanOrEqual',
  'semverGreaterThan',
  'semverGreaterThanOrEqual',
  'semverTilde',
  'semverCaret',
  'inCidr',
  'allOf',
  'noneOf',
  'sizeEquals',
  'sizeLessThan',
  'sizeGreaterThan',
  'exists',
  'notExists',
] as const;

export type Operator = (typeof OPERATORS)[number];

export type ClauseValue = string | number | boolean;

/**
 * A question about one attribute; several values are alternatives.
 * `attribute` is a path: names joined by dots, `\.` for a dot within a name. `targetingKey` is the targeting key,
 * `$now` the instant of the evaluation (epoch milliseconds).
 */
export type AttributeClause = Readonly<{
  attribute: string;
  operator: Operator;
  /** Empty for `exists` and `notExists` only. */
  values: readonly ClauseValue[];
  /** Turns true and false round; unknown stays unknown. */
  negate?: true;
  /** On the operators that compare text. */
  ignoreCase?: true;
}>;

/** Membership in any of these segments of the same project. */
export type SegmentClause = Readonly<{ segments: readonly string[]; negate?: true }>;

export type SimpleClause = AttributeClause | SegmentClause;

/** One of them must be true. */
export type AnyOfClause = Readonly<{ anyOf: readonly SimpleClause[] }>;

export type Clause = SimpleClause | AnyOfClause;

/** Every clause that asks something itself, those inside groups too. */
export const simpleClauses = (clauses: readonly Clause[]): readonly SimpleClause[] =>
  clauses.flatMap((clause) => ('anyOf' in clause ? clause.anyOf : [clause]));

/** Keys of the segments that clauses refer to. */
export const usedSegments = (clauses: readonly Clause[]): readonly string[] =>
  simpleClauses(clauses).flatMap((clause) => ('segments' in clause ? clause.segments : []));

/** How many references may follow one another, from flag to prerequisite or from segment to segment. */
export const MAX_REFERENCE_DEPTH = 10;
