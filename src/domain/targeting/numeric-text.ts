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
