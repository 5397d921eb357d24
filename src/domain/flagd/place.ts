import { DomainError } from '../decider.js';
import { type Json, type JsonObject } from '../json.js';

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Refuses one flag of a file and says where. `place` is a JSON pointer. @throws DomainError `cannot-import` */
export const refuseAt = (place: string, what: string): never => {
  throw new DomainError('cannot-import', `${place} ${what}.`);
};

/** The one operator of an expression and its argument; undefined for everything else. */
export const operationOf = (
  expression: Json | undefined,
): Readonly<{ name: string; argument: Json }> | undefined => {
  if (!isObject(expression)) return undefined;
  const [name, ...more] = Object.keys(expression);
  const argument = name === undefined ? undefined : expression[name];
  return name === undefined || argument === undefined || more.length > 0
    ? undefined
    : { name, argument };
};
