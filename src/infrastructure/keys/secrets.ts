import { hash, randomInt } from 'node:crypto';

const SLUG_LENGTH = 20;
const SUFFIX_LENGTH = 6;
/** Bytes of the digest; those before it make the owner's id. */
const SUFFIX_FROM = 12;
const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

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
    .map((byte) => ID_ALPHABET.charAt(byte % ID_ALPHABET.length))
    .join('');
  return `${slugOf(name) || 'org'}-${suffix}`;
};

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
/** 43 characters of base 62 hold 256 bits. */
const SECRET_LENGTH = 43;
const BASE = BigInt(ALPHABET.length);

/** A secret to show once, the part of it that may be seen, and what is stored of it. */
export type NewSecret = Readonly<{
  keyId: string;
  prefix: string;
  secret: string;
  sha256: Buffer;
}>;

/** Uniformly random text in base 62. */
const randomText = (length: number): string =>
  Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');

export const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer');

/** `usr_…`, `ses_…`: told to everybody who may see the thing. */
export const randomId = (kind: 'usr' | 'ses'): string => `${kind}_${randomText(ID_LENGTH)}`;

export const randomKeyId = (): string => randomText(ID_LENGTH);

const idOf = (bytes: Buffer): string =>
  [...bytes.subarray(0, ID_LENGTH)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');

/** The same id for the same parts: so that a repeated request meets the stream of the first. */
export const keyIdFrom = (...parts: readonly string[]): string =>
  idOf(sha256(parts.join('\u0000')));

/** `usr_<id>`: the same for the same digest, of which the first 12 bytes count. */
export const userIdFrom = (digest: Buffer): string => `usr_${idOf(digest)}`;

/** 32 bytes as a secret of 43 characters. */
export const base62 = (bytes: Uint8Array): string => {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; text.length < SECRET_LENGTH; rest /= BASE)
    text = ALPHABET.charAt(Number(rest % BASE)) + text;
  return text;
};

/** `cf_<kind>_<keyId>_<256 random bits in base 62>`. */
export const newSecret = (
  kind: 'admin' | 'srv' | 'cli' | 'inv' | 'ref',
  keyId: string,
): NewSecret => {
  const prefix = `cf_${kind}_${keyId}`;
  const secret = `${prefix}_${randomText(SECRET_LENGTH)}`;
  return { keyId, prefix, secret, sha256: sha256(secret) };
};
