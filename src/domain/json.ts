/** What JSON can hold. Numbers are finite, strings are well-formed (checked at the HTTP edge). */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sameArrays = (left: readonly Json[], right: readonly Json[]): boolean =>
  left.length === right.length &&
  left.every((item, index) => {
    const other = right[index];
    return other !== undefined && sameJson(item, other);
  });

const sameObjects = (left: JsonObject, right: JsonObject): boolean => {
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => {
      const [mine, theirs] = [left[key], right[key]];
      return mine !== undefined && theirs !== undefined && sameJson(mine, theirs);
    })
  );
};

/** Deep equality of two JSON values; the order of an object's keys does not matter. */
export const sameJson = (left: Json, right: Json): boolean => {
  if (left === right) return true;
  if (Array.isArray(left)) return Array.isArray(right) && sameArrays(left, right);
  if (isObject(left)) return isObject(right) && sameObjects(left, right);
  return false;
};

/** JSON text with object keys sorted, so that equal values have equal text. */
export const canonicalJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};
