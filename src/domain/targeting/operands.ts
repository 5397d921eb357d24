import { type Operator } from './clause.js';

/** What the values of a clause are; `size` is a number of elements. */
export type OperandKind =
  'scalar' | 'text' | 'pattern' | 'number' | 'instant' | 'version' | 'network' | 'size' | 'none';

export type Operands = Readonly<{
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
