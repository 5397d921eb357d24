import { type Operator, requireList, numberFrom } from './term.js';

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
