// Semantic Versioning 2.0.0, section 9 to 11, and two liberties: a leading `v`, and left out numbers (`2`, `2.1`),
// which are 0. Build metadata is ignored.

/** `given`: how many of the three numbers were there. `prerelease` is empty for a release. */
export type Version = {
  major: number;
  minor: number;
  patch: number;
  given: number;
  prerelease: string;
};

const NAME = '[0-9A-Za-z-]+';
const PRERELEASE_NAME = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';
const SUFFIX = new RegExp(
  `^(?:-(${PRERELEASE_NAME}(?:\\.${PRERELEASE_NAME})*))?(?:\\+${NAME}(?:\\.${NAME})*)?$`,
);
const LONGEST = 256;
const [ZERO, NINE, DOT, LOWER_V, UPPER_V] = [48, 57, 46, 118, 86];

// Where the reading of the one version that is being read stands.
let at = 0;

/** The number at `at`, which moves behind it; −1 for none, one with a leading zero, or one that is not exact. */
const readNumber = (text: string): number => {
  const start = at;
  let value = 0;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) break;
    value = value * 10 + (code - ZERO);
  }
  const hasLeadingZero = at - start > 1 && text.charCodeAt(start) === ZERO;
  return at === start || hasLeadingZero || value > Number.MAX_SAFE_INTEGER ? -1 : value;
};

const readNext = (text: string, into: Version): number => {
  if (text.charCodeAt(at) !== DOT) return 0;
  at += 1;
  into.given += 1;
  return readNumber(text);
};

const readSuffix = (text: string, into: Version): boolean => {
  into.prerelease = '';
  if (at === text.length) return true;
  const suffix = SUFFIX.exec(text.slice(at));
  into.prerelease = suffix?.[1] ?? '';
  return suffix !== null;
};

/** Reads a version without allocating for a release; false when the text is none, and `into` means nothing then. */
export const readVersion = (text: string, into: Version): boolean => {
  if (text.length > LONGEST) return false;
  const first = text.charCodeAt(0);
  at = first === LOWER_V || first === UPPER_V ? 1 : 0;
  into.given = 1;
  into.major = readNumber(text);
  into.minor = into.major < 0 ? -1 : readNext(text, into);
  into.patch = into.minor < 0 || into.given < 2 ? into.minor : readNext(text, into);
  return into.patch >= 0 && readSuffix(text, into);
};

export const versionOf = (text: string): Version | undefined => {
  const version: Version = { major: 0, minor: 0, patch: 0, given: 1, prerelease: '' };
  return readVersion(text, version) ? version : undefined;
};

const isNumeric = (name: string): boolean => /^\d+$/.test(name);

/** Numbers before names; of numbers without leading zeros the longer is greater. */
const compareNames = (one: string, other: string): number => {
  if (one === other) return 0;
  const [isNumber, isOtherNumber] = [isNumeric(one), isNumeric(other)];
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  if (isNumber && one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : 1;
};

/** A release comes after all its pre-releases; of two pre-releases the first name that differs decides. */
const comparePrereleases = (one: string, other: string): number => {
  if (one === other) return 0;
  if (one === '' || other === '') return one === '' ? 1 : -1;
  const [names, others] = [one.split('.'), other.split('.')];
  for (const [index, name] of names.entries()) {
    const otherName = others[index];
    if (otherName === undefined) return 1;
    const order = compareNames(name, otherName);
    if (order !== 0) return order;
  }
  return -1;
};

/** Below 0 when `one` comes first, above 0 when `other` does. */
export const compareVersions = (one: Version, other: Version): number =>
  one.major - other.major ||
  one.minor - other.minor ||
  one.patch - other.patch ||
  comparePrereleases(one.prerelease, other.prerelease);
