import { DomainError } from '../../decider.js';
import { type ClauseValue } from '../../targeting/clause.js';
import { FALSE, TRUE, type Truth, truthOf, UNKNOWN } from '../truth.js';
import { spend } from '../work.js';
import { alwaysUnknown, type TestFactory, type ValueTest } from './value-test.js';

const ASCII = /^[\0-\x7f]*$/;

/** Unicode's simple case folding leaves the dotless i as it is; its upper case is the ASCII letter. */
const DOTLESS_I = 'ı';

const isOneCharacter = (text: string): boolean =>
  text.length === 1 || (text.length === 2 && text.codePointAt(0) !== text.charCodeAt(0));

const foldCharacter = (character: string): string => {
  if (character === DOTLESS_I) return character;
  const upper = character.toUpperCase();
  const lower = (isOneCharacter(upper) ? upper : character).toLowerCase();
  return isOneCharacter(lower) ? lower : character;
};

/**
 * Texts that differ only in case become equal, character by character and in every locale alike: the classes of
 * Unicode's simple case folding (CaseFolding.txt, statuses C and S). "ß" and "SS" stay different.
 */
export const foldCase = (text: string): string =>
  ASCII.test(text) ? text.toLowerCase() : Array.from(text, foldCharacter).join('');

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
