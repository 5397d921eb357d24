/** The instant of the evaluation instead of an attribute. */
export const NOW = '$now';

const STEP = /((?:[^.\\]|\\[.\\])+)(\.|$)/y;

const unescaped = (step: string): string => step.replaceAll(/\\([.\\])/g, '$1');

/**
 * The names of a path, outermost first: `a.b` is `b` within `a`; a dot within a name is written `\.`, a backslash
 * `\\`. Undefined for what is no path: an empty name, or a backslash before anything else.
 */
export const attributePath = (path: string): readonly string[] | undefined => {
  const names: string[] = [];
  for (let at = 0, isLast = false; !isLast; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const [, step, separator] = STEP.exec(path) ?? [];
    if (step === undefined) return undefined;
    names.push(unescaped(step));
    isLast = separator === '';
  }
  return names;
};

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

/** What the values of a clause are; `size` is a number of elements. */
export type OperandKind =
  'scalar' | 'text' | 'pattern' | 'number' | 'instant' | 'version' | 'network' | 'size' | 'none';

type Operands = Readonly<{
  kind: OperandKind;
  /** Whether several values are allowed, as alternatives (`allOf`: all together). */
  areMany: boolean;
  /** Whether `ignoreCase` means something. */
  haveCase: boolean;
}>;

const many = (kind: OperandKind): Operands => ({ kind, areMany: true, haveCase: false });
const one = (kind: OperandKind): Operands => ({ kind, areMany: false, haveCase: false });
const withCase = (kind: OperandKind): Operands => ({ kind, areMany: true, haveCase: true });

export const OPERANDS: Readonly<Record<Operator, Operands>> = {
  in: withCase('scalar'),
  contains: withCase('text'),
  startsWith: withCase('text'),
  endsWith: withCase('text'),
  matches: withCase('pattern'),
  numberEquals: many('number'),
  lessThan: one('number'),
  lessThanOrEqual: one('number'),
  greaterThan: one('number'),
  greaterThanOrEqual: one('number'),
  before: one('instant'),
  beforeOrAt: one('instant'),
  after: one('instant'),
  afterOrAt: one('instant'),
  semverEquals: many('version'),
  semverLessThan: one('version'),
  semverLessThanOrEqual: one('version'),
  semverGreaterThan: one('version'),
  semverGreaterThanOrEqual: one('version'),
  semverTilde: many('version'),
  semverCaret: many('version'),
  inCidr: many('network'),
  allOf: withCase('scalar'),
  noneOf: withCase('scalar'),
  sizeEquals: many('size'),
  sizeLessThan: one('size'),
  sizeGreaterThan: one('size'),
  exists: one('none'),
  notExists: one('none'),
};

/**
 * Makes a regular expression into a test of whether it is found anywhere in a text, in time linear to the text.
 * The domain's port to a regular expression engine of the RE2 kind.
 * @throws DomainError `invalid-regex`, saying what is wrong and where in the pattern
 */
export type RegexCompiler = (
  pattern: string,
  options: Readonly<{ ignoreCase: boolean }>,
) => Readonly<{
  /** Testing takes as many steps as this times the length of the text, at most. */
  size: number;
  test: (text: string) => boolean;
}>;
