import { type Json } from '../json.js';

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

export const all = (parts: readonly Json[]): Json => {
  const asked = parts.filter((part) => part !== true);
  if (asked.includes(false)) return false;
  const [only = true] = asked;
  return asked.length < 2 ? only : { and: asked };
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

/** Pairs of condition and result, and what holds otherwise. */
export const choose = (branches: readonly (readonly [Json, Json])[], otherwise: Json): Json => {
  const reached = branches.filter(([condition]) => condition !== false);
  const last = reached.findIndex(([condition]) => condition === true);
  const asked = last < 0 ? reached : reached.slice(0, last);
  const rest = last < 0 ? otherwise : (reached[last]?.[1] ?? null);
  return asked.length === 0 ? rest : { if: [...asked.flat(), rest] };
};
