import { type Json, type JsonObject } from '../json.js';
import { chainOf } from './expressions.js';

const isName = (result: Json): boolean => typeof result === 'string' && result !== '';

const pairs = (list: readonly Json[]): readonly (readonly [Json, Json])[] =>
  list.flatMap((condition, index) => {
    const result = list[index + 1];
    return index % 2 === 0 && result !== undefined ? [[condition, result] as const] : [];
  });

/** Conditions with the variants that they name, of an `if` that names none otherwise. */
export const plainBranches = (logic: Json): readonly (readonly [Json, Json])[] | undefined => {
  const list = chainOf(logic);
  const isEmpty = list !== undefined && (list.length % 2 === 0 || list.at(-1) === null);
  const branches = list === undefined || !isEmpty ? undefined : pairs(list);
  return branches?.every(([, result]) => isName(result)) === true ? branches : undefined;
};

const sharesNames = (logic: Json): boolean => {
  const { fractional } = (logic ?? {}) as JsonObject;
  const isShare = (share: Json, index: number): boolean =>
    Array.isArray(share) ? isName((share as readonly Json[])[0] ?? null) : index === 0;
  return Array.isArray(fractional) && (fractional as readonly Json[]).every(isShare);
};

/** Whether an expression plainly results in the name of a variant, or in null. */
export const namesOrNothing = (logic: Json): boolean => {
  if (logic === null || isName(logic)) return true;
  const list = chainOf(logic);
  if (list === undefined) return typeof logic === 'object' && sharesNames(logic);
  const last = list.length % 2 === 1 ? (list.at(-1) ?? null) : null;
  return [...pairs(list).map(([, result]) => result), last].every(namesOrNothing);
};
