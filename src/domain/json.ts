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

/** The same value with the members of objects sorted: whatever kept it, it is written as the same text. */
export const withSortedMembers = <Value extends Json>(value: Value): Value =>
  JSON.parse(canonicalJson(value)) as Value;

/** How much JSON text a value makes, about. Numbers and names count a few characters each. */
export const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 8;
  for (const member of Object.values(value)) size += 8 + sizeOf(member);
  return size;
};

/** Nothing in it has to be escaped: almost every text. */
const PLAIN = /^[ !#-[\]-~]*$/;

const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

const objectText = (value: JsonObject): string => {
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined)
      text += `${text === '' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
};

/**
 * JSON text with object keys sorted, so that equal values have equal text. RFC 8785: sorted by UTF-16 code units, numbers
 * and strings as JSON.stringify writes them.
 */
export const canonicalJson = (value: Json): string => {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return isObject(value) ? objectText(value) : JSON.stringify(value);
};
