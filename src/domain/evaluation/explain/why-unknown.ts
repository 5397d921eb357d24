import { type AttributeClause } from '../../targeting/clause.js';
import { type OperandKind, OPERANDS } from '../../targeting/operands.js';
import { type Unknown } from './explanation.js';

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
export const whyUnknown = (clause: AttributeClause, value: unknown): Unknown => {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'element';
  return !isAboutLists(clause) && isComparable(clause, value) ? 'unreadable' : 'wrong-type';
};
