import { isTruthy, type Operands, type Operator, requireList, type Term } from './term.js';

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
