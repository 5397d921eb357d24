// RFC 3339, section 5.6, without leap seconds; and the days of the proleptic Gregorian calendar after Howard
// Hinnant, "chrono-compatible low-level date algorithms" (2013).

const SHAPE = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The decimal number of `length` digits at an index; the shape has been checked. */
const digits = (text: string, index: number, length: number): number => {
  let value = 0;
  for (let at = index; at < index + length; at += 1) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
};

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const daysIn = (year: number, month: number): number => {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

/** Days since 1970-01-01. Years begin in March here, so that a leap day is the last of its year. */
const daysSinceEpoch = (year: number, month: number, day: number): number => {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
};

/** Milliseconds of the day that begins the text; NaN when the calendar has none such. */
const dayMs = (text: string): number => {
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return NaN;
  return daysSinceEpoch(year, month, day) * DAY_MS;
};

/** Milliseconds of `HH:MM` at an index; NaN when a clock does not show it. */
const clockMs = (text: string, index: number): number => {
  const [hour, minute] = [digits(text, index, 2), digits(text, index + 3, 2)];
  return hour > 23 || minute > 59 ? NaN : hour * HOUR_MS + minute * MINUTE_MS;
};

const secondsMs = (text: string, end: number): number => {
  const second = digits(text, 17, 2);
  // In whole microseconds first, as 1.001 × 1000 is not 1001 in doubles.
  const fractionMs = end > 20 ? Math.round(Number(text.slice(19, end)) * 1e6) / 1e3 : 0;
  return second > 59 ? NaN : second * 1_000 + fractionMs;
};

/** How far the local time of the text is ahead of UTC. */
const offsetMs = (text: string, index: number): number => {
  const ahead = text[index] === '-' ? -1 : 1;
  return ahead * clockMs(text, index + 1);
};

/** RFC 3339 text, as milliseconds since 1970 to the microsecond; NaN for what is none. */
const textMs = (text: string): number => {
  if (!SHAPE.test(text)) return NaN;
  const isUtc = text.endsWith('Z') || text.endsWith('z');
  const end = text.length - (isUtc ? 1 : 6);
  const local = dayMs(text) + clockMs(text, 11) + secondsMs(text, end);
  return isUtc ? local : local - offsetMs(text, end);
};

/** RFC 3339 text or whole milliseconds since 1970, as milliseconds since 1970; NaN for what is neither. */
export const instantOf = (value: unknown): number => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : NaN;
  return typeof value === 'string' ? textMs(value) : NaN;
};

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const WHOLE = /^-?(\d+)(?:\.0*)?$/;

/** Doubles hold all whole numbers of up to so many digits. */
const SAFE_DIGITS = 15;

/** Whether a double holds the whole number that a JSON number is; true for one that is written as no whole number. */
export const isWholeKept = (literal: string): boolean => {
  const digits = literal.length <= SAFE_DIGITS ? undefined : WHOLE.exec(literal)?.[1];
  if (digits === undefined || digits.length <= SAFE_DIGITS) return true;
  const number = Number(digits);
  return Number.isFinite(number) && BigInt(number) === BigInt(digits);
};

/** A regular expression for this would look at every run of zeros again. */
const withoutLastZeros = (digits: string): string => {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
};

/** "-0.0120e5" and "-1.20e+3" have the digits 12. */
const digitsOf = (literal: string): string =>
  withoutLastZeros(
    literal
      .replace(/[eE].*$/, '')
      .replace(/[-.]/g, '')
      .replace(/^0+/, ''),
  );

/** What toPrecision takes at most. */
const MAX_DIGITS = 100;

/** Whether a JSON number comes back as it is: whole numbers exactly, others with all of their digits. */
export const isKept = (literal: string): boolean => {
  if (WHOLE.test(literal)) return isWholeKept(literal);
  const digits = digitsOf(literal);
  if (digits === '') return true;
  const number = Number(literal);
  return (
    Number.isFinite(number) &&
    digits.length <= MAX_DIGITS &&
    digitsOf(number.toPrecision(digits.length)) === digits
  );
};

/**
 * The number that a value is, or that its text is by the grammar of JSON (RFC 8259, section 6); NaN for all else, and
 * for the text of a whole number that a double would change.
 */
export const numberOf = (value: unknown): number => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : NaN;
  if (typeof value !== 'string' || !JSON_NUMBER.test(value) || !isWholeKept(value)) return NaN;
  const number = Number(value);
  return Number.isFinite(number) ? number : NaN;
};
