import { DomainError } from '../decider.js';
import {
  type AttributeClause,
  attributePath,
  type Clause,
  type ClauseValue,
  NOW,
  type OperandKind,
  OPERANDS,
  type RegexCompiler,
  type SegmentClause,
  type SimpleClause,
} from './clause.js';
import { instantOf } from './instant.js';
import { networkOf } from './network.js';
import { versionOf } from './version.js';

export const VALUE_LIMITS = {
  /** Values of one clause. */
  values: 1_000,
  /** Characters of a text. */
  text: 1_024,
  /** Characters of a regular expression. */
  pattern: 512,
} as const;

type Check = Readonly<{ isMet: (value: ClauseValue) => boolean; wanted: string }>;

const isText = (value: ClauseValue): value is string =>
  typeof value === 'string' && value.length <= VALUE_LIMITS.text;

const CHECKS: Readonly<Record<Exclude<OperandKind, 'none'>, Check>> = {
  scalar: {
    isMet: (value) => typeof value !== 'string' || isText(value),
    wanted: `a text of at most ${VALUE_LIMITS.text} characters, a number, true or false`,
  },
  text: {
    isMet: (value) => isText(value) && value !== '',
    wanted: `a text of 1 to ${VALUE_LIMITS.text} characters`,
  },
  pattern: {
    isMet: (value) =>
      typeof value === 'string' && value !== '' && value.length <= VALUE_LIMITS.pattern,
    wanted: `a regular expression of 1 to ${VALUE_LIMITS.pattern} characters`,
  },
  number: { isMet: Number.isFinite, wanted: 'a number, such as 18 or 2.5' },
  instant: {
    isMet: (value) => !Number.isNaN(instantOf(value)),
    wanted: 'a time as in 2026-03-01T12:00:00Z, or whole milliseconds since 1970',
  },
  version: {
    isMet: (value) => typeof value === 'string' && versionOf(value) !== undefined,
    wanted: 'a semantic version such as "1.4.0", "v2" or "2.0.0-rc.1"',
  },
  network: {
    isMet: (value) => typeof value === 'string' && networkOf(value) !== undefined,
    wanted: 'an address or network such as "10.0.0.0/8" or "2001:db8::/32"',
  },
  size: {
    isMet: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    wanted: 'a number of elements: 0, 1, 2 …',
  },
};

const invalidValue = (where: string, what: string): DomainError =>
  new DomainError('invalid-clause', `${where}: ${what}`);

const requireValueCount = ({ operator, values }: AttributeClause, where: string): void => {
  const { kind, areMany } = OPERANDS[operator];
  const least = kind === 'none' ? 0 : 1;
  const most = kind === 'none' ? 0 : areMany ? VALUE_LIMITS.values : 1;
  if (values.length >= least && values.length <= most) return;
  const wanted = least === most ? (most === 0 ? 'no values' : 'one value') : `1 to ${most} values`;
  throw invalidValue(`${where}.values`, `"${operator}" takes ${wanted}, not ${values.length}.`);
};

/** @throws DomainError `invalid-regex` */
const requirePattern = (
  pattern: string,
  ignoreCase: boolean,
  { where, compileRegex }: Readonly<{ where: string; compileRegex: RegexCompiler }>,
): void => {
  try {
    compileRegex(pattern, { ignoreCase });
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new DomainError('invalid-regex', `${where}: ${error.message}`);
  }
};

/**
 * Checks how many values a clause has, and that its operator can read each.
 * @throws DomainError `invalid-clause`, `invalid-regex`
 */
const requireValidValues = (
  clause: AttributeClause,
  where: string,
  compileRegex: RegexCompiler,
): void => {
  const { operator, values, ignoreCase } = clause;
  const { kind } = OPERANDS[operator];
  requireValueCount(clause, where);
  if (kind === 'none') return;
  const { isMet, wanted } = CHECKS[kind];
  for (const [index, value] of values.entries()) {
    const place = `${where}.values[${index}]`;
    if (!isMet(value)) throw invalidValue(place, `"${operator}" takes ${wanted}.`);
    if (kind === 'pattern')
      requirePattern(String(value), ignoreCase === true, { where: place, compileRegex });
  }
};

export const CLAUSE_LIMITS = {
  /** Clauses of one rule or of one group. */
  clauses: 50,
  /** Segments of one clause. */
  segments: 50,
  /** Characters of an attribute's path. */
  path: 256,
  /** Names of an attribute's path. */
  names: 10,
} as const;

export type ClausePorts = Readonly<{ compileRegex: RegexCompiler }>;

const invalid = (where: string, what: string): DomainError =>
  new DomainError('invalid-clause', `${where}: ${what}`);

const requireCount = (
  list: readonly unknown[],
  most: number,
  { where, what }: Readonly<{ where: string; what: string }>,
): void => {
  if (list.length === 0) throw invalid(where, `Name at least one ${what}.`);
  if (list.length > most)
    throw invalid(where, `There are ${list.length} ${what}s; at most ${most} are possible.`);
};

/**
 * Checks the path of an attribute, also that of a bucketing attribute.
 * @throws DomainError `invalid-clause`
 */
export const requireValidAttribute = (path: string, where: string): void => {
  const names = attributePath(path);
  if (names === undefined)
    throw invalid(
      where,
      'An attribute is a name, or names joined by dots; write "\\." for a dot within a name and "\\\\" for a backslash.',
    );
  if (path.length > CLAUSE_LIMITS.path || names.length > CLAUSE_LIMITS.names)
    throw invalid(
      where,
      `A path has at most ${CLAUSE_LIMITS.names} names and ${CLAUSE_LIMITS.path} characters.`,
    );
};

const requireAttributeClause = (
  clause: AttributeClause,
  where: string,
  { compileRegex }: ClausePorts,
): void => {
  const { attribute, operator, ignoreCase } = clause;
  requireValidAttribute(attribute, `${where}.attribute`);
  if (attribute.startsWith('$') && attribute !== NOW)
    throw invalid(`${where}.attribute`, `Names that begin with "$" are ours; there is "${NOW}".`);
  if (ignoreCase === true && !OPERANDS[operator].haveCase)
    throw invalid(`${where}.ignoreCase`, `"${operator}" compares no text: leave "ignoreCase" out.`);
  requireValidValues(clause, where, compileRegex);
};

const requireSegmentClause = ({ segments }: SegmentClause, where: string): void => {
  requireCount(segments, CLAUSE_LIMITS.segments, { where: `${where}.segments`, what: 'segment' });
};

const requireSimpleClause = (clause: SimpleClause, where: string, ports: ClausePorts): void => {
  if ('segments' in clause) requireSegmentClause(clause, where);
  else requireAttributeClause(clause, where, ports);
};

/**
 * Checks what clauses mean; that the segments exist is for the caller to check. An empty list is valid here.
 * @param where what has the clauses, such as `rules[2]`: the beginning of each message
 * @throws DomainError `invalid-clause`, `invalid-regex`, saying where and what to change
 */
export const requireValidClauses = (
  clauses: readonly Clause[],
  where: string,
  ports: ClausePorts,
): void => {
  if (clauses.length > 0)
    requireCount(clauses, CLAUSE_LIMITS.clauses, { where: `${where}.clauses`, what: 'clause' });
  for (const [index, clause] of clauses.entries()) {
    const place = `${where}.clauses[${index}]`;
    if (!('anyOf' in clause)) {
      requireSimpleClause(clause, place, ports);
      continue;
    }
    requireCount(clause.anyOf, CLAUSE_LIMITS.clauses, { where: `${place}.anyOf`, what: 'clause' });
    for (const [member, simple] of clause.anyOf.entries())
      requireSimpleClause(simple, `${place}.anyOf[${member}]`, ports);
  }
};
