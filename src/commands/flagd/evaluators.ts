import { type Json, type JsonObject } from '../../domain/json.js';
import { isArray, isObject, operationOf, refuseAt } from './place.js';

/** Shared conditions of a file by their names. */
export type Evaluators = JsonObject;

const MAX_DEPTH = 10;

type Where = Readonly<{ place: string; depth: number }>;

const shared = (name: Json, evaluators: Evaluators, { place, depth }: Where): Json => {
  const found = typeof name === 'string' && Object.hasOwn(evaluators, name);
  const expression = found ? evaluators[name] : undefined;
  if (!found || expression === undefined) {
    return refuseAt(`${place}/$ref`, 'names nothing in /$evaluators');
  }
  if (depth >= MAX_DEPTH) return refuseAt(`${place}/$ref`, 'refers to itself');
  return resolved(expression, evaluators, { place: `/$evaluators/${name}`, depth: depth + 1 });
};

const resolved = (expression: Json, evaluators: Evaluators, where: Where): Json => {
  const reference = operationOf(expression);
  if (reference?.name === '$ref') return shared(reference.argument, evaluators, where);
  const part = (value: Json, name: string | number): Json =>
    resolved(value, evaluators, { ...where, place: `${where.place}/${name}` });
  if (isArray(expression)) return expression.map(part);
  if (!isObject(expression)) return expression;
  const parts = Object.entries(expression);
  return Object.fromEntries(parts.map(([name, value]) => [name, part(value, name)]));
};

/** An expression with the shared conditions that it refers to put in. @throws DomainError `cannot-import` */
export const withEvaluators = (expression: Json, evaluators: Evaluators, place: string): Json =>
  resolved(expression, evaluators, { place, depth: 0 });
