import { spend } from '../work.js';
import {
  fail,
  type Operands,
  type Operator,
  requireList,
  type Term,
  valuesOf,
  textFrom,
} from './term.js';

const MAX_TEXT_LENGTH = 65_536;

const limited = (text: string): string => (text.length > MAX_TEXT_LENGTH ? fail() : text);

/** Joins texts; null reads as nothing. */
export const concatenate: Operator = (operands) => {
  const values = valuesOf(operands);
  return (context, item) => {
    let text = '';
    for (const value of values(context, item)) {
      if (value !== null && value !== undefined) text = limited(text + textFrom(value));
    }
    spend(text.length >> 6);
    return text;
  };
};

const indexOrFail = (value: unknown): number => (typeof value === 'number' ? value : fail());

const cut = (text: string, from: number, length: number | undefined): string => {
  const start = from < 0 ? Math.max(text.length + from, 0) : from;
  const tail = text.slice(start);
  return length === undefined ? tail : tail.slice(0, length);
};

/** `[text, from, length?]`; a negative start counts from the end, a negative length leaves so many out at the end. */
export const substring: Operator = (operands) => {
  requireList(operands, 2, 3);
  const [text, from] = [operands.term(0), operands.term(1)];
  const length: Term = operands.list.length === 3 ? operands.term(2) : () => undefined;
  return (context, item) => {
    const whole = text(context, item);
    const count = length(context, item);
    if (typeof whole !== 'string') return fail();
    const start = indexOrFail(from(context, item));
    return cut(whole, start, count === undefined ? undefined : indexOrFail(count));
  };
};

/** Whether a text contains a text, or a list an element; in null is nothing. */
export const isIn: Operator = (operands) => {
  requireList(operands, 2, 2);
  const [wanted, where] = [operands.term(0), operands.term(1)];
  return (context, item) => {
    const value = wanted(context, item);
    const whole = where(context, item);
    if (Array.isArray(whole)) {
      spend(whole.length >> 3);
      return whole.includes(value);
    }
    if (typeof whole === 'string') spend(whole.length >> 6);
    if (typeof whole === 'string') return whole !== '' && whole.includes(textFrom(value));
    return whole ? fail() : false;
  };
};

/** flagd's text operators: null unless both are texts. */
const onTexts =
  (matches: (text: string, part: string) => boolean): Operator =>
  (operands: Operands) => {
    const values = valuesOf(operands);
    return (context, item) => {
      const [text, part, ...more] = values(context, item);
      const areTexts = typeof text === 'string' && typeof part === 'string';
      return areTexts && more.length === 0 ? matches(text, part) : null;
    };
  };

export const startsWith = onTexts((text, part) => text.startsWith(part));
export const endsWith = onTexts((text, part) => text.endsWith(part));
