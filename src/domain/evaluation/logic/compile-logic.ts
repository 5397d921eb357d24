import { DomainError } from '../../decider.js';
import { type Json } from '../../json.js';
import { type Context } from '../context.js';
import { beginCompiling, isTooCostly } from '../work.js';
import { compileTerm } from './compile-term.js';
import { type Term, textFrom } from './term.js';

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
