/**
 * A place in the whole log, from 0 to 2^63-1; -1 is in front of it. A bigint only where a double does not hold it, so that
 * two of one place are `===` and `<` is right between any two.
 */
export type Position = number | bigint;

export const LAST_POSITION: Position = 2n ** 63n - 1n;

/** @param value a position in any form: digits, what the store's client gives */
export const toPosition = (value: string | number | bigint): Position => {
  if (typeof value === 'number') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
};

/** Whether it is the digits of a place in a log. */
export const isPosition = (text: string): boolean =>
  /^\d{1,19}$/.test(text) && BigInt(text) <= LAST_POSITION;

export const later = (one: Position, other: Position): Position => (one < other ? other : one);

export const earlier = (one: Position, other: Position): Position => (other < one ? other : one);

/** For JSON that is stored, hashed or signed: RFC 8785 has doubles alone, and wants digits in a text for what is more. */
export const positionInJson = (position: Position): string | number =>
  typeof position === 'bigint' ? String(position) : position;
