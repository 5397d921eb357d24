import { DomainError } from '../decider.js';
import { attributePath, NOW } from './attribute-path.js';
import {
  type AttributeClause,
  type Clause,
  type SegmentClause,
  type SimpleClause,
} from './clause.js';
import { OPERANDS } from './operands.js';
import { type RegexCompiler } from './regex-compiler.js';
import { requireValidValues } from './valid-values.js';

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
