import { type Json } from '../../json.js';
import { type Context } from '../context.js';
import { spend } from '../work.js';

/**
 * A compiled expression. `item` is what `var` reads inside map, filter, reduce, all, some and none; elsewhere it is
 * not looked at. @throws LogicFailure where flagd reports an error
 */
export type Term = (context: Context, item: unknown) => unknown;

/** An expression that cannot give a result. Caught by whoever runs it, never seen outside. */
class LogicFailure extends Error {
  override readonly name = 'LogicFailure';
}

// One for the process: making a stack trace per failed evaluation would cost more than the evaluation.
const failure: LogicFailure = new LogicFailure('This expression has no result.');

/** @throws LogicFailure */
export const fail = (): never => {
  throw failure;
};

/** The number that a value is taken for: null is 0, true 1, text what it reads. @throws LogicFailure when it is none */
export const numberFrom = (value: unknown): number => {
  if (typeof value === 'number') return value;
  if (typeof value === 'object' && value !== null) return fail();
  return required(Number(value ?? null));
};

/** @throws LogicFailure for NaN */
export const required = (value: number): number => (Number.isNaN(value) ? fail() : value);

/** The text that a value reads as: true is `true`, ["a"] is `a`. */
export const textFrom = (value: unknown): string => {
  const text = String(value);
  if (typeof value === 'object') spend(text.length);
  return text;
};

/** The arguments of one operation, not yet compiled. A single argument may stand without its list. */
export type Operands = Readonly<{
  flagKey: string;
  /** Within map, filter, reduce, all, some or none, where variables are those of the element. */
  isInner: boolean;
  isList: boolean;
  /** The arguments; one when no list is written. */
  list: readonly Json[];
  /** Compiles one argument; `null` when it is not written. @throws DomainError `invalid-logic` */
  term: (index: number) => Term;
  terms: () => readonly Term[];
  /** Compiles one argument that is run for each element of a list. `size`: parts that it has. */
  inner: (index: number) => Readonly<{ term: Term; size: number }>;
  /** Notes that the result depends on the context. */
  readsContext: () => void;
  /** @throws DomainError `invalid-logic` */
  refuse: (what: string) => never;
}>;

export type Operator = (operands: Operands) => Term;

/** What JSONLogic takes for true: everything but null, false, 0, '', [] and {}. */
export const isTruthy = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return Boolean(value);
  if (Array.isArray(value)) return value.length > 0;
  for (const _ in value) return true;
  return false;
};

/** @throws DomainError `invalid-logic` unless that many arguments are written as a list */
export const requireList = ({ isList, list, refuse }: Operands, least: number, most = Infinity) => {
  if (isList && list.length >= least && list.length <= most) return;
  const range =
    most === Infinity ? `${least} or more` : least === most ? least : `${least} to ${most}`;
  refuse(`takes a list of ${range} arguments`);
};

/** The values of all arguments; a single argument that is a list by itself is taken for the arguments. */
export const valuesOf = (
  operands: Operands,
): ((context: Context, item: unknown) => readonly unknown[]) => {
  if (operands.isList) {
    const terms = operands.terms();
    return (context, item) => terms.map((term) => term(context, item));
  }
  const single = operands.term(0);
  return (context, item) => {
    const value = single(context, item);
    return Array.isArray(value) ? (value as readonly unknown[]) : [value];
  };
};
