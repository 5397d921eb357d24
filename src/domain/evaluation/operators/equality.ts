import { type ClauseValue } from '../../targeting/clause.js';
import { FALSE, TRUE, type Truth, UNKNOWN } from '../clauses/truth.js';
import { foldCase } from './fold-case.js';
import { type TestFactory, type ValueTest } from './value-test.js';

/** Up to here, comparing one after the other is faster than hashing. */
const FEW = 8;

const folded = (value: ClauseValue): ClauseValue =>
  typeof value === 'string' ? foldCase(value) : value;

const isOneOf = (values: readonly ClauseValue[]): ((value: unknown) => boolean) => {
  if (values.length <= FEW) {
    return (value) => {
      for (const candidate of values) if (candidate === value) return true;
      return false;
    };
  }
  const set = new Set<unknown>(values);
  return (value) => set.has(value);
};

/**
 * Equal to one of the values, and of its type: 1 is neither "1" nor true. Unknown when no value has the type of the
 * attribute, as nothing can be said then of how they compare.
 */
const exactlyIn = (values: readonly ClauseValue[]): ValueTest => {
  const [only] = values;
  const isOnly = values.length === 1;
  const isIn = isOneOf(values);
  const otherwise = (type: string): Truth =>
    values.some((value) => typeof value === type) ? FALSE : UNKNOWN;
  const [text, number, boolean] = [otherwise('string'), otherwise('number'), otherwise('boolean')];
  return (value) => {
    if (isOnly ? value === only : isIn(value)) return TRUE;
    if (typeof value === 'string') return text;
    if (typeof value === 'number') return number;
    return typeof value === 'boolean' ? boolean : UNKNOWN;
  };
};

export const isIn: TestFactory = (values, { ignoreCase }) => {
  if (!ignoreCase) return exactlyIn(values);
  const test = exactlyIn(values.map(folded));
  return (value) => test(typeof value === 'string' ? foldCase(value) : value);
};
