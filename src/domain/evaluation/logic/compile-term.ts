import { DomainError } from '../../decider.js';
import { type Json, type JsonObject } from '../../json.js';
import { type Context } from '../context.js';
import { OPERATORS } from './operators.js';
import { type Operands, type Term } from './term.js';

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
export const compileTerm = (expression: Json, position: Position): Term => {
  position.count.size += 1;
  if (position.depth > MAX_DEPTH) refuse(position.place, `is nested deeper than ${MAX_DEPTH}`);
  if (position.count.size > MAX_SIZE) refuse(position.place, `is beyond ${MAX_SIZE} parts`);
  if (typeof expression !== 'object' || expression === null) return () => expression;
  if (Array.isArray(expression)) return compileList(expression, position);
  if (Object.keys(expression).length === 0) return () => expression;
  return compileOperation(expression as JsonObject, position);
};
