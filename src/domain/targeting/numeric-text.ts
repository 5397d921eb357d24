const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The number that a value is, or that its text is by the grammar of JSON (RFC 8259, section 6); NaN for all else. */
export const numberOf = (value: unknown): number => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : NaN;
  if (typeof value !== 'string' || !JSON_NUMBER.test(value)) return NaN;
  const number = Number(value);
  return Number.isFinite(number) ? number : NaN;
};
