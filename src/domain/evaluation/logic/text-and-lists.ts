import { type Context } from '../context.js';
import { spend } from '../work.js';
import {
  fail,
  isTruthy,
  type Operands,
  type Operator,
  requireList,
  type Term,
  textFrom,
  valuesOf,
} from './term.js';

const MAX_LIST_LENGTH = 32_768;

/** The elements; none of what is null or empty. @throws LogicFailure for what has no elements */
const elementsOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) {
    return value.length > MAX_LIST_LENGTH ? fail() : (value as readonly unknown[]);
  }
  return value ? fail() : [];
};

type OnElements = (elements: readonly unknown[], each: (element: unknown) => unknown) => unknown;

const forEach =
  (operate: OnElements): Operator =>
  (operands) => {
    requireList(operands, 2, 2);
    const [list, { term: inner, size }] = [operands.term(0), operands.inner(1)];
    return (context, item) =>
      operate(elementsOf(list(context, item)), (element) => {
        spend(size);
        return inner(context, element);
      });
  };

export const map = forEach((elements, each) => elements.map(each));
export const filter = forEach((elements, each) =>
  elements.filter((element) => isTruthy(each(element))),
);
/** False for no elements. */
export const all = forEach(
  (elements, each) => elements.length > 0 && elements.every((element) => isTruthy(each(element))),
);
export const some = forEach((elements, each) =>
  elements.some((element) => isTruthy(each(element))),
);
export const none = forEach(
  (elements, each) => !elements.some((element) => isTruthy(each(element))),
);

const isNested = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const members: readonly unknown[] = Object.values(value);
  spend(members.length);
  return members.some((member) => typeof member === 'object' && member !== null);
};

/** An accumulator is a scalar, or a list or object of scalars. @throws LogicFailure for a deeper one */
const shallow = (value: unknown): unknown => (isNested(value) ? fail() : value);

const fold = (elements: readonly unknown[], initial: unknown, step: (pair: object) => unknown) =>
  elements.reduce(
    (accumulator, current) => shallow(step({ accumulator, current })),
    shallow(initial),
  );

/** `[list, expression of accumulator and current, initial?]`; without an initial value the first element is it. */
export const reduce: Operator = (operands) => {
  requireList(operands, 2, 3);
  const [list, { term: inner, size }] = [operands.term(0), operands.inner(1)];
  const initial: Term | undefined = operands.list.length === 3 ? operands.term(2) : undefined;
  return (context: Context, item) => {
    const elements = elementsOf(list(context, item));
    const step = (pair: object) => {
      spend(size);
      return inner(context, pair);
    };
    if (initial !== undefined) return fold(elements, initial(context, item), step);
    return elements.length === 0 ? fail() : fold(elements.slice(1), elements[0], step);
  };
};

/** One list of all elements; what is no list is an element. */
export const merge: Operator = (operands) => {
  const values = valuesOf(operands);
  return (context, item) => {
    const merged = values(context, item).flat();
    spend(merged.length);
    return merged.length > MAX_LIST_LENGTH ? fail() : merged;
  };
};

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
