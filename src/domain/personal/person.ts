import { DomainError } from '../decider.js';
import { isErased } from './sealed-text.js';

/**
 * An e-mail address as it is kept and compared: without white space around it, in lower case, in NFC. Dots and `+` mean
 * what its provider makes of them, so they stay.
 */
export const normalisedEmail = (email: string): string =>
  email.trim().normalize('NFC').toLowerCase();

/**
 * Whether two kept addresses differ at most by letters that only their place in a word sets apart: both `σ` and `ς` are
 * small forms of `Σ` (Unicode case folding).
 */
export const isSameAddress = (left: string, right: string): boolean =>
  left.replaceAll('ς', 'σ') === right.replaceAll('ς', 'σ');

/** Marks that nobody sees, white space, control characters. */
const HIDDEN = /[\p{C}\p{Z}]/u;
const LATIN = /\p{Script=Latin}/u;
const LOOKING_LATIN = /[\p{Script=Cyrillic}\p{Script=Greek}]/u;

/**
 * Two people must not have addresses that look the same. Of a new address; those that are known stay as they are.
 * Unicode TS 39, 5. @throws DomainError `invalid-request`
 */
export const requirePlainAddress = (email: string): void => {
  const parts = email.split(/[@.]/);
  const isMixed = parts.some((part) => LATIN.test(part) && LOOKING_LATIN.test(part));
  if (HIDDEN.test(email) || isMixed)
    throw new DomainError(
      'invalid-request',
      'The address has invisible characters, or look-alike letters of different scripts.',
    );
  if (parts.some((part) => part.startsWith('xn--')))
    throw new DomainError('invalid-request', 'Write the domain of the address in its own letters.');
};

const EMAIL = /^[^\s@]{1,64}@[^\s@]+\.[^\s@.]+$/;

const isEmail = (text: string): boolean => text.length <= 254 && EMAIL.test(text);

/**
 * What two spellings of one person's value have in common: Unicode NFC, and small letters in e-mail addresses. Other
 * targeting keys are told apart by their case.
 */
export const personOf = (value: string): string => {
  const normal = value.normalize('NFC');
  return isEmail(normal) ? normalisedEmail(normal) : normal;
};

/** A text of a person; `person` is that person's value, normalised, or a user's id. */
export type PersonalText = Readonly<{ person: string; text: string }>;

/** What becomes of a personal text. */
export type Rewrite = (personal: PersonalText) => string;

/** A value that is about the person whom it names. */
export const rewriteValue = (text: string, rewrite: Rewrite): string =>
  text === '' || isErased(text) ? text : rewrite({ person: personOf(text), text });

export const rewriteEmail = (text: string, rewrite: Rewrite): string =>
  isEmail(text) ? rewriteValue(text, rewrite) : text;
