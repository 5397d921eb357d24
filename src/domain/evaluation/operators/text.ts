import { DomainError } from '../../decider.js';
import { truthOf, UNKNOWN } from '../clauses/truth.js';
import { spend } from '../work.js';
import { foldCase } from './fold-case.js';
import { alwaysUnknown, type TestFactory } from './value-test.js';

/** Longer texts are not searched by regular expressions: whether they match is unknown. Characters. */
export const LONGEST_SEARCHED = 4_096;

type Comparison = (text: string, value: string) => boolean;

const isAny = (text: string, values: readonly string[], holds: Comparison): boolean => {
  for (const value of values) if (holds(text, value)) return true;
  return false;
};

const comparing =
  (holds: Comparison): TestFactory =>
  (values, { ignoreCase }) => {
    const wanted = values.map((value) => (ignoreCase ? foldCase(String(value)) : String(value)));
    return (value) => {
      if (typeof value !== 'string') return UNKNOWN;
      spend(wanted.length * (1 + (value.length >> 8)));
      return truthOf(isAny(ignoreCase ? foldCase(value) : value, wanted, holds));
    };
  };

export const contains = comparing((text, value) => text.includes(value));
export const startsWith = comparing((text, value) => text.startsWith(value));
export const endsWith = comparing((text, value) => text.endsWith(value));

/** Found anywhere in the text, unless the expression says where. */
export const matches: TestFactory = (values, { ignoreCase, compileRegex }) => {
  try {
    const tests = values.map((value) => compileRegex(String(value), { ignoreCase }));
    return (value) => {
      if (typeof value !== 'string' || value.length > LONGEST_SEARCHED) return UNKNOWN;
      for (const { size, test } of tests) {
        spend(size * value.length);
        if (test(value)) return truthOf(true);
      }
      return truthOf(false);
    };
  } catch (error) {
    if (error instanceof DomainError) return alwaysUnknown;
    throw error;
  }
};
