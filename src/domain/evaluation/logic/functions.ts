import {
  fail,
  isTruthy,
  numberFrom,
  type Operands,
  type Operator,
  required,
  requireList,
  type Term,
  valuesOf,
} from './term.js';

type Calculate = (numbers: readonly number[]) => number;

/** A list of one argument counts as that argument: `{"+": [{"var": "prices"}]}` adds up the prices. */
const unwrapped = (operands: Operands): Operands =>
  operands.isList && operands.list.length === 1 && !Array.isArray(operands.list[0])
    ? { ...operands, isList: false }
    : operands;

const onNumbers =
  (calculate: Calculate, least = 0): Operator =>
  (operands): Term => {
    const values = valuesOf(operands);
    return (context, item) => {
      const numbers = values(context, item).map(numberFrom);
      return numbers.length < least ? fail() : required(calculate(numbers));
    };
  };

const sum: Calculate = (numbers) => numbers.reduce((left, right) => left + right, 0);

const product: Calculate = (numbers) => numbers.reduce((left, right) => left * right, 1);

const difference: Calculate = ([first = 0, ...rest]) =>
  rest.length === 0 ? -first : rest.reduce((left, right) => left - right, first);

const divided = (left: number, right: number): number => (right === 0 ? fail() : left / right);

const quotient: Calculate = ([first = 0, ...rest]) => {
  const result = rest.length === 0 ? divided(1, first) : rest.reduce(divided, first);
  return result === Infinity ? fail() : result;
};

const rest: Calculate = (numbers) => numbers.reduce((left, right) => left % right);

/** `max` and `min` take numbers only, where the others take what reads as a number. */
const ofNumbers =
  (choose: Calculate): Operator =>
  (operands) => {
    const values = valuesOf(operands);
    return (context, item) => {
      const given = values(context, item);
      const numbers = given.filter((value) => typeof value === 'number');
      return numbers.length > 0 && numbers.length === given.length ? choose(numbers) : fail();
    };
  };

export const add: Operator = (operands) => onNumbers(sum)(unwrapped(operands));
export const subtract: Operator = (operands) => onNumbers(difference, 1)(unwrapped(operands));
export const multiply = onNumbers(product);
export const divide = onNumbers(quotient, 1);
export const modulo = onNumbers(rest, 2);
export const maximum = ofNumbers((numbers) => numbers.reduce((a, b) => Math.max(a, b)));
export const minimum = ofNumbers((numbers) => numbers.reduce((a, b) => Math.min(a, b)));

const otherwise: Term = () => null;

/** `[condition, result, condition, result, …, else]`; without an else: null. */
export const choose: Operator = (operands) => {
  requireList(operands, 1);
  const terms = operands.terms();
  const last = terms.length % 2 === 1 ? terms.at(-1) : undefined;
  let rest = last ?? otherwise;
  for (let index = terms.length - (last === undefined ? 2 : 3); index >= 0; index -= 2) {
    rest = branch(terms[index] ?? otherwise, terms[index + 1] ?? otherwise, rest);
  }
  return rest;
};

const branch =
  (condition: Term, met: Term, unmet: Term): Term =>
  (context, item) =>
    isTruthy(condition(context, item)) ? met(context, item) : unmet(context, item);

/** The first argument whose truth is the one looked for, else the last; null of none. */
const firstOf =
  (wanted: boolean): Operator =>
  (operands) => {
    requireList(operands, 0);
    const terms = operands.terms();
    return (context, item) => {
      let value: unknown = null;
      for (const term of terms) {
        value = term(context, item);
        if (isTruthy(value) === wanted) return value;
      }
      return value;
    };
  };

export const and = firstOf(false);
export const or = firstOf(true);

const truthOf = (operands: Operands): ((...args: Parameters<Term>) => boolean) => {
  const term = operands.term(0);
  return (context, item) => isTruthy(term(context, item));
};

export const not: Operator = (operands) => {
  const isTrue = truthOf(operands);
  return (context, item) => !isTrue(context, item);
};

export const toBoolean: Operator = (operands) => truthOf(operands);

type Compare = (left: unknown, right: unknown) => boolean;

type Orderable = string | number;

const isText = (value: unknown): value is string | null =>
  typeof value === 'string' || value === null;

/** Two texts are compared as texts; null equals only null among them. Everything else is compared as numbers. */
const loose =
  (compare: (left: Orderable, right: Orderable) => boolean, ofNulls: boolean): Compare =>
  (left, right) => {
    if (typeof left === 'string' && typeof right === 'string') return compare(left, right);
    if (!isText(left) || !isText(right)) return compare(numberFrom(left), numberFrom(right));
    return left === right ? ofNulls : compare(numberOrNaN(left), numberOrNaN(right));
  };

/** Null beside a text: 0 when they are ordered (`null < "5"`). */
const numberOrNaN = (value: string | null): number => (value === null ? 0 : Number(value));

const chain =
  (compare: Compare): Operator =>
  (operands) => {
    requireList(operands, 2, 3);
    const [first, second] = [operands.term(0), operands.term(1)];
    if (operands.list.length === 2) {
      return (context, item) => compare(first(context, item), second(context, item));
    }
    const third = operands.term(2);
    return (context, item) => {
      const middle = second(context, item);
      return compare(first(context, item), middle) && compare(middle, third(context, item));
    };
  };

const looselyEqual: Compare = (left, right) =>
  isText(left) && isText(right) ? left === right : numberFrom(left) === numberFrom(right);

export const equal = chain(looselyEqual);
export const unequal = chain((left, right) => !looselyEqual(left, right));
export const identical = chain((left, right) => left === right);
export const different = chain((left, right) => left !== right);
export const less = chain(loose((left, right) => left < right, false));
export const lessOrEqual = chain(loose((left, right) => left <= right, true));
export const greater = chain(loose((left, right) => left > right, false));
export const greaterOrEqual = chain(loose((left, right) => left >= right, true));
