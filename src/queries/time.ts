import { DomainError } from '../domain/decider.js';

const HOUR_MINUTE = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const RFC_3339 = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\d)T(${HOUR_MINUTE}):([0-5]\\d|60)(?:\\.(\\d+))?(Z|[+-]${HOUR_MINUTE})$`,
);

const PLUS_DECODED = /^\S+ \d\d:\d\d$/;

/** A moment in whole milliseconds since 1970; they differ when it lies between two (events have milliseconds). */
export type Instant = Readonly<{ floorMs: number; ceilMs: number }>;

const malformed = (text: string): DomainError => {
  const hint = PLUS_DECODED.test(text) ? ' In a URL the "+" of an offset is written %2B.' : '';
  return new DomainError(
    'malformed-time',
    `"${text}" is not a time as in 2026-03-01T12:00:00Z: RFC 3339 with seconds and an offset.${hint}`,
  );
};

const isCalendarDay = (day: string): boolean => {
  const ms = Date.parse(`${day}T00:00:00Z`);
  // An engine may take 30 February for 2 March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
};

/** Leap seconds are at the end of a month of UTC only. RFC 3339, section 5.7. */
const isMonthsBegin = (ms: number): boolean =>
  new Date(ms).toISOString().slice(7, 19) === '-01T00:00:00';

/** NaN for a second that no clock shows. */
const clockMs = (minute: string, second: string, rest: string): number => {
  if (second !== '60') return Date.parse(`${minute}:${second}${rest}`);
  const nextMs = Date.parse(`${minute}:59${rest}`) + 1_000;
  return isMonthsBegin(nextMs) ? nextMs : NaN;
};

/**
 * Strict RFC 3339, section 5.6. A leap second is the second after it, since clocks of computers have none.
 * @throws DomainError malformed-time
 */
export const parseTime = (text: string): Instant => {
  const found = RFC_3339.exec(text.toUpperCase());
  const part = (nth: number): string => found?.[nth] ?? '';
  const [day, fraction] = [part(1), part(4)];
  if (!isCalendarDay(day)) throw malformed(text);
  const rest = `.${fraction.slice(0, 3).padEnd(3, '0')}${part(5)}`;
  const floorMs = clockMs(`${day}T${part(2)}`, part(3), rest);
  if (Number.isNaN(floorMs)) throw malformed(text);
  const isBetween = Number(fraction.slice(3)) > 0;
  return { floorMs, ceilMs: isBetween ? floorMs + 1 : floorMs };
};
