import { DomainError } from '../../decider.js';
import { type Json, type JsonObject } from '../../json.js';
import { type Context } from '../context.js';
import { beginCompiling, isTooCostly } from '../work.js';
import { fractional, semVer } from './flagd-functions.js';
import * as arithmetic from './functions.js';
import * as branching from './functions.js';
import * as comparison from './functions.js';
import { type Operands, type Operator, type Term, textFrom } from './term.js';
import * as lists from './text-and-lists.js';
import * as text from './text-and-lists.js';
import * as variables from './variables.js';

/** Everything that flagd's schema (flagd.dev/schema/v0/targeting.json) allows in an expression. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    if: branching.choose,
    '?:': branching.choose,
    and: branching.and,
    or: branching.or,
    '!': branching.not,
    '!!': branching.toBoolean,
    '==': comparison.equal,
    '===': comparison.identical,
    '!=': comparison.unequal,
    '!==': comparison.different,
    '<': comparison.less,
    '<=': comparison.lessOrEqual,
    '>': comparison.greater,
    '>=': comparison.greaterOrEqual,
    '+': arithmetic.add,
    '-': arithmetic.subtract,
    '*': arithmetic.multiply,
    '/': arithmetic.divide,
    '%': arithmetic.modulo,
    max: arithmetic.maximum,
    min: arithmetic.minimum,
    cat: text.concatenate,
    substr: text.substring,
    in: text.isIn,
    starts_with: text.startsWith,
    ends_with: text.endsWith,
    var: variables.variable,
    missing: variables.missing,
    missing_some: variables.missingSome,
    map: lists.map,
    filter: lists.filter,
    all: lists.all,
    some: lists.some,
    none: lists.none,
    reduce: lists.reduce,
    merge: lists.merge,
    sem_ver: semVer,
    fractional,
  }),
);

/** Where the compiler stands. `place` is a JSON pointer; `reads` and `size` count, over the whole expression. */
type Position = Readonly<{
  flagKey: string;
  place: string;
  depth: number;
  isInner: boolean;
  count: { reads: number; size: number };
}>;

const MAX_DEPTH = 64;
const MAX_SIZE = 20_000;

const nobody: Context = { targetingKey: undefined, attributes: {}, nowMs: 0 };

const refuse = (place: string, what: string): never => {
  throw new DomainError('invalid-logic', `${place} ${what}.`);
};

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const below = (position: Position, ...names: readonly (string | number)[]): Position => ({
  ...position,
  place: [position.place, ...names.map((name) => escaped(String(name)))].join('/'),
  depth: position.depth + 1,
});

/** What does not depend on the context is worked out once. What then fails fails when it is reached. */
const folded = (term: Term): Term => {
  try {
    const value = term(nobody, null);
    return () => value;
  } catch {
    return term;
  }
};

const operandsOf = (written: Json, position: Position): Operands => {
  const isList = Array.isArray(written);
  const list: readonly Json[] = isList ? (written as readonly Json[]) : [written];
  const at = (index: number, isInner: boolean): Term =>
    compileTerm(list[index] ?? null, {
      ...(isList ? below(position, index) : position),
      isInner: isInner || position.isInner,
    });
  return {
    flagKey: position.flagKey,
    isInner: position.isInner,
    isList,
    list,
    term: (index) => at(index, false),
    terms: () => list.map((_, index) => at(index, false)),
    inner: (index) => {
      const before = position.count.size;
      const term = at(index, true);
      return { term, size: position.count.size - before };
    },
    readsContext: () => {
      position.count.reads += 1;
    },
    refuse: (what) => refuse(position.place, what),
  };
};

const compileOperation = (expression: JsonObject, position: Position): Term => {
  const [name = '', ...more] = Object.keys(expression);
  if (more.length > 0) refuse(position.place, 'must have one operator');
  const operator = OPERATORS.get(name);
  const argument = expression[name];
  const place = below(position, name);
  if (operator === undefined || argument === undefined) {
    return refuse(place.place, 'is no operator that flagd has');
  }
  const readsBefore = position.count.reads;
  const term = operator(operandsOf(argument, place));
  return position.count.reads === readsBefore ? folded(term) : term;
};

const compileList = (list: readonly Json[], position: Position): Term => {
  const terms = list.map((element, index) => compileTerm(element, below(position, index)));
  return (context, item) => terms.map((term) => term(context, item));
};

/** @throws DomainError `invalid-logic`, with the place of what is wrong */
const compileTerm = (expression: Json, position: Position): Term => {
  position.count.size += 1;
  if (position.depth > MAX_DEPTH) refuse(position.place, `is nested deeper than ${MAX_DEPTH}`);
  if (position.count.size > MAX_SIZE) refuse(position.place, `is beyond ${MAX_SIZE} parts`);
  if (typeof expression !== 'object' || expression === null) return () => expression;
  if (Array.isArray(expression)) return compileList(expression, position);
  if (Object.keys(expression).length === 0) return () => expression;
  return compileOperation(expression as JsonObject, position);
};

/** The name of the variant that an expression chooses; null: none; undefined: the expression failed. */
export type Logic = (context: Context) => string | null | undefined;

const start = (flagKey: string, place: string) => ({
  flagKey,
  place,
  depth: 0,
  isInner: false,
  count: { reads: 0, size: 0 },
});

/** Results name variants by their text: true is "true", 1 is "1". */
const nameFrom = (value: unknown): string | null =>
  value === null || value === undefined ? null : textFrom(value);

const never: Logic = () => undefined;

const total =
  (term: Term): Logic =>
  (context) => {
    try {
      return nameFrom(term(context, null));
    } catch (error) {
      if (isTooCostly(error)) throw error;
      return undefined;
    }
  };

/**
 * Checks that an expression can be compiled. `place` is the JSON pointer that it stands at.
 * @throws DomainError `invalid-logic`, with the place of what is wrong
 */
export const requireValidLogic = (expression: Json, flagKey: string, place: string): void => {
  beginCompiling();
  compileTerm(expression, start(flagKey, place));
};

/**
 * JSONLogic in flagd's dialect, compiled to closures once. Never throws, neither here nor when evaluated: an expression
 * that cannot be compiled fails for everyone. docs/flagd.md says where flagd's implementations differ.
 */
export const compileLogic = (expression: Json, flagKey: string): Logic => {
  // What does not depend on the context is worked out now.
  beginCompiling();
  try {
    return total(compileTerm(expression, start(flagKey, '')));
  } catch (error) {
    if (error instanceof DomainError) return never;
    throw error;
  }
};
