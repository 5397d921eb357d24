import { murmur3 } from '../murmur3.js';
import { cumulated, shareAt } from '../split.js';
import { type Operator, textFrom, valuesOf } from './term.js';

type Shares = Readonly<{ variants: readonly unknown[]; sums: readonly number[]; total: number }>;

const MAX_TOTAL = 2 ** 31 - 1;

/** `floor(hash × total / 2^32)`, exact for totals up to 2^31: each half of the hash is multiplied by itself. */
export const largeBucketOf = (hash: number, total: number): number => {
  const low = Math.floor(((hash & 0xffff) * total) / 0x10000);
  return Math.floor(((hash >>> 16) * total + low) / 0x10000);
};

type Share = Readonly<{ variant: unknown; weight: number }>;

const isVariant = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** `[variant]` or `[variant, weight]`; a weight below 0 is 0. */
const shareOf = (entry: unknown): Share | undefined => {
  if (!Array.isArray(entry) || entry.length === 0 || entry.length > 2) return undefined;
  const [variant, weight = 1] = entry as readonly unknown[];
  if (!isVariant(variant) || !Number.isInteger(weight)) return undefined;
  return { variant, weight: Math.max(0, Number(weight)) };
};

const sharesOf = (entries: readonly unknown[]): Shares | undefined => {
  const shares = entries.map(shareOf).filter((share) => share !== undefined);
  const sums = cumulated(shares.map(({ weight }) => weight));
  const total = sums.at(-1) ?? 0;
  if (shares.length < entries.length || total > MAX_TOTAL) return undefined;
  return { variants: shares.map(({ variant }) => variant), sums, total };
};

/**
 * `[what to hash?, [variant, weight], …]`: flagd's second generation of bucketing, on the UTF-8 bytes. Hashes the flag
 * key and the targeting key unless a text is given. Null when there is nothing to hash or a share is malformed.
 */
export const fractional: Operator = (operands) => {
  operands.readsContext();
  const { flagKey } = operands;
  const values = valuesOf(operands);
  return (context, item) => {
    const [first, ...rest] = values(context, item);
    const { targetingKey } = context;
    const isGiven = typeof first === 'string';
    const unit = isGiven ? first : targetingKey ? flagKey + targetingKey : undefined;
    const shares = sharesOf(isGiven ? rest : [first, ...rest]);
    if (unit === undefined || shares === undefined) return null;
    const index = shareAt(shares.sums, largeBucketOf(murmur3(unit), shares.total));
    return shares.variants[index] ?? null;
  };
};

type Version = Readonly<{
  numbers: readonly [number, number, number];
  prerelease: readonly string[];
}>;

const NUMBER = '(?:0|[1-9]\\d*)';
const IDENTIFIER = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';
const IDENTIFIERS = `${IDENTIFIER}(?:\\.${IDENTIFIER})*`;
const VERSION = new RegExp(
  `^v?(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${IDENTIFIERS}))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);
const PARTIAL = new RegExp(`^(${NUMBER})(?:\\.(${NUMBER}))?$`);
const MAX_LENGTH = 256;

const matched = (text: string): RegExpExecArray | null =>
  text.length > MAX_LENGTH ? null : (VERSION.exec(text.trim()) ?? PARTIAL.exec(text));

/** Semantic Versioning 2.0.0, as flagd reads it: a leading v, partial versions and numbers are taken too. */
const parseVersion = (value: unknown): Version | undefined => {
  const parsed = matched(textFrom(value).replace(/^[vV]/, ''));
  if (parsed === null) return undefined;
  const [, major, minor = '0', patch = '0', prerelease] = parsed;
  const numbers = [Number(major), Number(minor), Number(patch)] as const;
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  return { numbers, prerelease: prerelease?.split('.') ?? [] };
};

const isNumeric = (identifier: string): boolean => /^\d+$/.test(identifier);

/** Semantic Versioning 11.4: numbers by value and before texts. */
const compareIdentifiers = (left: string, right: string): number => {
  if (left === right) return 0;
  if (isNumeric(left) && isNumeric(right)) return Number(left) - Number(right);
  if (isNumeric(left) !== isNumeric(right)) return isNumeric(left) ? -1 : 1;
  return left < right ? -1 : 1;
};

/** A pre-release comes before its version; of two that begin alike the longer one is later. */
const comparePrereleases = (left: readonly string[], right: readonly string[]): number => {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  for (const [index, identifier] of left.entries()) {
    const other = right[index];
    const order = other === undefined ? 1 : compareIdentifiers(identifier, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
};

const compareVersions = (left: Version, right: Version): number => {
  for (const index of [0, 1, 2] as const) {
    const difference = left.numbers[index] - right.numbers[index];
    if (difference !== 0) return difference;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
};

const shareNumbers = (left: Version, right: Version, count: number): boolean =>
  left.numbers.slice(0, count).every((number, index) => number === right.numbers[index]);

const OPERATORS: Readonly<Record<string, (left: Version, right: Version) => boolean>> = {
  '=': (left, right) => compareVersions(left, right) === 0,
  '!=': (left, right) => compareVersions(left, right) !== 0,
  '<': (left, right) => compareVersions(left, right) < 0,
  '<=': (left, right) => compareVersions(left, right) <= 0,
  '>': (left, right) => compareVersions(left, right) > 0,
  '>=': (left, right) => compareVersions(left, right) >= 0,
  // Not ranges as npm has them: flagd compares the major, or the major and minor number, and nothing else.
  '^': (left, right) => shareNumbers(left, right, 1),
  '~': (left, right) => shareNumbers(left, right, 2),
};

/** `[version, operator, version]`; null when one is no version. */
export const semVer: Operator = (operands) => {
  const values = valuesOf(operands);
  return (context, item) => {
    const [left, name, right, ...more] = values(context, item);
    const operator = textFrom(name);
    const compare = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    const [first, second] = [parseVersion(left), parseVersion(right)];
    if (!compare || !first || !second || more.length > 0) return null;
    return compare(first, second);
  };
};
