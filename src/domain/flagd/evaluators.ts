import { DomainError } from '../decider.js';
import { type Json, type JsonObject } from '../json.js';
import { isArray, isObject, operationOf, refuseAt } from './place.js';

/** The condition that a `$ref` at this place puts in. @throws DomainError `cannot-import` */
type Find = (name: Json, place: string) => Json;

/** Shared conditions of a file. */
export type Evaluators = Readonly<{
  /**
   * By name, those referred to put in, each after those that it refers to. One condition is one object wherever it is
   * put in, so that it can be recognised there.
   */
  conditions: ReadonlyMap<string, Json>;
  find: Find;
}>;

/** How many may refer to one another in a row. */
const MAX_DEPTH = 10;

const referredTo = (expression: Json): Json | undefined => {
  const operation = operationOf(expression);
  return operation?.name === '$ref' ? operation.argument : undefined;
};

const namesIn = (expression: Json): readonly Json[] => {
  const name = referredTo(expression);
  if (name !== undefined) return [name];
  if (isArray(expression)) return expression.flatMap(namesIn);
  return isObject(expression) ? Object.values(expression).flatMap(namesIn) : [];
};

const resolved = (expression: Json, find: Find, place: string): Json => {
  const reference = referredTo(expression);
  if (reference !== undefined) return find(reference, place);
  const part = (value: Json, name: string | number): Json =>
    resolved(value, find, `${place}/${name}`);
  if (isArray(expression)) return expression.map(part);
  if (!isObject(expression)) return expression;
  const parts = Object.entries(expression);
  return Object.fromEntries(parts.map(([name, value]) => [name, part(value, name)]));
};

/** @returns the refusal of one that refers to what is not there */
const attempt = (expression: Json, find: Find, place: string): Json | DomainError => {
  try {
    return resolved(expression, find, place);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
};

/** Shared conditions as a file has them. One that cannot be had is refused where it is referred to. */
export const evaluatorsOf = (written: JsonObject): Evaluators => {
  const known = new Map<string, Json | DomainError>();
  const find: Find = (name, place) => {
    const found = typeof name === 'string' ? known.get(name) : undefined;
    if (found instanceof DomainError) throw found;
    if (found !== undefined) return found;
    const isThere = typeof name === 'string' && Object.hasOwn(written, name);
    const why = isThere
      ? `refers to itself, or through more than ${MAX_DEPTH} others`
      : 'names nothing in /$evaluators';
    return refuseAt(`${place}/$ref`, why);
  };
  const waiting = new Map(
    Object.entries(written).map(([name, expression]) => [name, new Set(namesIn(expression))]),
  );
  for (let depth = 1; depth <= MAX_DEPTH; depth += 1) {
    const ready = [...waiting].filter(([, names]) =>
      [...names].every((name) => typeof name !== 'string' || !waiting.has(name)),
    );
    for (const [name] of ready) {
      waiting.delete(name);
      known.set(name, attempt(written[name] ?? null, find, `/$evaluators/${name}`));
    }
  }
  const conditions = new Map<string, Json>();
  for (const [name, condition] of known)
    if (!(condition instanceof DomainError)) conditions.set(name, condition);
  return { conditions, find };
};

/** An expression with the shared conditions that it refers to put in. @throws DomainError `cannot-import` */
export const withEvaluators = (expression: Json, { find }: Evaluators, place: string): Json =>
  resolved(expression, find, place);
