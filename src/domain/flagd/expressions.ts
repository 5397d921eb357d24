import { type Json, type JsonObject } from '../json.js';

// JSONLogic as every flagd provider reads it the same: typed equality, no operator that fails for some type, none of
// flagd's own operators within a list.

/** What JSONLogic cannot say exactly. Caught by whoever exports a flag. */
export class Inexpressible extends Error {
  override readonly name = 'Inexpressible';
}

/** @throws Inexpressible */
export const cannotExpress = (what: string): never => {
  throw new Inexpressible(what);
};

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

export const all = (parts: readonly Json[]): Json => {
  const asked = parts.filter((part) => part !== true);
  if (asked.includes(false)) return false;
  const [only = true] = asked;
  return asked.length < 2 ? only : { and: asked };
};

/** What `all` joined. */
export const allParts = (expression: Json): readonly Json[] => {
  const { and } = (expression ?? {}) as JsonObject;
  return isList(and) ? and : [expression];
};

export const any = (parts: readonly Json[]): Json => {
  const asked = parts.filter((part) => part !== false);
  if (asked.includes(true)) return true;
  const [only = false] = asked;
  return asked.length < 2 ? only : { or: asked };
};

export const not = (part: Json): Json => (typeof part === 'boolean' ? !part : { '!': [part] });

export const isNull = (value: Json): Json => ({ '===': [value, null] });
export const isPresent = (value: Json): Json => ({ '!==': [value, null] });

/** Only a text is what joining it with nothing makes of it. */
export const isText = (value: Json): Json => ({ '===': [value, { cat: [value, ''] }] });

/** Of texts, numbers, booleans and null. */
export const isNumber = (value: Json): Json =>
  all([isPresent(value), { '!==': [value, true] }, { '!==': [value, false] }, not(isText(value))]);

/** The list of an `if`: conditions and results by turns, at the end perhaps what holds otherwise. */
export const chainOf = (expression: Json): readonly Json[] | undefined => {
  if (typeof expression !== 'object' || expression === null || isList(expression)) return undefined;
  const [name, ...more] = Object.keys(expression);
  const list = name === 'if' && more.length === 0 ? expression['if'] : undefined;
  return isList(list) && list.length > 1 ? list : undefined;
};

/** One more condition, asked before all others. Without `otherwise` that is null, which `if` says by itself. */
export const choose = (condition: Json, result: Json, otherwise: Json): Json => {
  if (typeof condition === 'boolean') return condition ? result : otherwise;
  const rest = chainOf(otherwise) ?? (otherwise === null ? [] : [otherwise]);
  return { if: [condition, result, ...rest] };
};
