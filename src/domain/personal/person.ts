import { normalisedEmail } from '../organization/email.js';
import { isErased } from './sealed-text.js';

const EMAIL = /^[^\s@]{1,64}@[^\s@]+\.[^\s@.]+$/;

export const isEmail = (text: string): boolean => text.length <= 254 && EMAIL.test(text);

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
