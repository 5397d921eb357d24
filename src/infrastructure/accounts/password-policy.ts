import { dictionary } from '@zxcvbn-ts/language-common';
import { DomainError } from '../../domain/decider.js';

/** In characters. NIST SP 800-63B asks for no rules on which; the upper bound keeps hashing cheap. */
const SHORTEST = 12;
export const LONGEST_PASSWORD = 128;

/** What a password is not to be made of. */
export type PasswordOwner = Readonly<{ email: string; organizationId: string }>;

const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** The shortest text that, repeated, makes the whole. */
const repeatedPart = (text: string): string => text.slice(0, (text + text).indexOf(text, 1));

/** A word with digits and signs around it is still that word. */
const bare = (text: string): string => text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');

const isCommon = (text: string): boolean =>
  [text, repeatedPart(text), bare(text), repeatedPart(bare(text))].some((one) => COMMON.has(one));

const DIGITS = '1234567890'.repeat(LONGEST_PASSWORD / 10 + 1);

/** `aaaa`, `1234`, `dcba`: every character a fixed step from the one before; digits begin again. */
const isRun = (text: string): boolean => {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const steps = new Set(codes.slice(1).map((code, nth) => code - (codes[nth] ?? 0)));
  return DIGITS.includes(text) || (steps.size === 1 && [-1, 0, 1].some((step) => steps.has(step)));
};

const isOwn = (text: string, { email, organizationId }: PasswordOwner): boolean => {
  const own = email.toLowerCase();
  const names = [own, own.slice(0, own.lastIndexOf('@')), organizationId.toLowerCase()];
  return names.some((name) => text === name || bare(text) === bare(name));
};

/** Why a password is not taken, for people; undefined when it is. */
const weaknessOf = (password: string, owner: PasswordOwner): string | undefined => {
  const text = password.normalize('NFKC').toLowerCase();
  const { length } = Array.from(text);
  if (length < SHORTEST) return `It needs ${SHORTEST} characters or more.`;
  if (length > LONGEST_PASSWORD) return `It may have ${LONGEST_PASSWORD} characters at most.`;
  if (isCommon(text) || isRun(text)) return 'Too many people use it.';
  return isOwn(text, owner) ? 'It is your address or organization.' : undefined;
};

/** @throws DomainError `weak-password` saying why */
export const requireGoodPassword = (password: string, owner: PasswordOwner): void => {
  const weakness = weaknessOf(password, owner);
  if (weakness !== undefined) throw new DomainError('weak-password', weakness);
};
