import { anyTruth, FALSE, TRUE, truthOf, UNKNOWN } from '../clauses/truth.js';
import { isIn } from './equality.js';
import { spend } from '../work.js';
import { foldCase } from './fold-case.js';
import { type TestFactory, type ValueTest } from './value-test.js';

/** No element is one of the values: of a list, what `in` negated says; unknown of all else. */
export const noneOf: TestFactory = (values, options) => {
  const test = isIn(values, options);
  return (value) => {
    if (!Array.isArray(value)) return UNKNOWN;
    spend(value.length);
    const any = anyTruth(value, test);
    return any === UNKNOWN ? UNKNOWN : truthOf(any === FALSE);
  };
};

const folded = (value: unknown): unknown => (typeof value === 'string' ? foldCase(value) : value);

/**
 * Every value is an element of the list. Where one is not, it is unknown when an element has a type that none of the
 * values has.
 */
export const allOf: TestFactory = (values, options) => {
  const test = isIn(values, options);
  const wanted: readonly unknown[] = options.ignoreCase ? values.map(folded) : values;
  const has = (elements: readonly unknown[], value: unknown): boolean =>
    options.ignoreCase
      ? elements.some((element) => folded(element) === value)
      : elements.includes(value);
  return (value) => {
    if (!Array.isArray(value)) return UNKNOWN;
    // Searching is quick: eight elements a step.
    spend(value.length + ((value.length * wanted.length) >> (options.ignoreCase ? 0 : 3)));
    if (wanted.every((one) => has(value, one))) return TRUE;
    return value.some((element) => test(element) === UNKNOWN) ? UNKNOWN : FALSE;
  };
};

const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

const present: ValueTest = (value) => truthOf(isPresent(value));
const absent: ValueTest = (value) => truthOf(!isPresent(value));

/** Never unknown. */
export const exists: TestFactory = () => present;
export const notExists: TestFactory = () => absent;
