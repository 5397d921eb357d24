const SLUG_LENGTH = 20;
const SUFFIX_LENGTH = 6;
/** Of the digest; those before make the owner's id. */
const SUFFIX_FROM = 12;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, SLUG_LENGTH)
    .replace(/-$/, '');

/** `<slug of the name>-<6 letters or digits>`: the same for the same name and digest (of 32 bytes). */
export const organizationIdFrom = (name: string, digest: Buffer): string => {
  const suffix = [...digest.subarray(SUFFIX_FROM, SUFFIX_FROM + SUFFIX_LENGTH)]
    .map((byte) => ALPHABET.charAt(byte % ALPHABET.length))
    .join('');
  return `${slugOf(name) || 'org'}-${suffix}`;
};
