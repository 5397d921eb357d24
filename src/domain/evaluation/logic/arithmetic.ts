import {
  fail,
  type Operands,
  type Operator,
  type Term,
  valuesOf,
  numberFrom,
  required,
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
