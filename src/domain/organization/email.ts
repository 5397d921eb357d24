/**
 * An e-mail address as it is kept and compared: without white space around it, in lower case, in NFC. Dots and `+` mean
 * what its provider makes of them, so they stay.
 */
export const normalisedEmail = (email: string): string =>
  email.trim().normalize('NFC').toLowerCase();
