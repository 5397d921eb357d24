import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { type ApplicationKey } from '../../domain/api-key.js';

/**
 * HMAC with what only the processes of this service know of a key; undefined for a key that is not valid. `previous`:
 * with what they knew before its last rotation, while the secret of then counts.
 */
export type Sign = (
  keyId: string,
  text: string,
  secret?: 'current' | 'previous',
) => Buffer | undefined;

export type TokenDeps = Readonly<{
  sign: Sign;
  find: (keyId: string) => ApplicationKey | undefined;
  /** Epoch milliseconds. */
  clock: () => number;
}>;

/** A token is valid for the rest of its epoch and for the next one. */
const EPOCH_MS = 3_600_000;
const SHAPE = /^([0-9A-Za-z]{12})\.([0-9a-z]{1,9})\.([\w-]{43})$/;

const isSame = (given: Buffer, expected: Buffer): boolean =>
  given.length === expected.length && timingSafeEqual(given, expected);

/**
 * Credentials for event streams, which browsers can send in a URL only: short-lived, good for nothing else, and the
 * same in every process during an epoch, so that an answer that carries one keeps its ETag. Signed with the stored
 * hash of the key, so a revoked key's tokens end with it and no other secret has to be kept.
 */
export const streamTokens = ({ sign, find, clock }: TokenDeps) => {
  const current = new Map<
    string,
    Readonly<{ key: ApplicationKey; epoch: number; token: string }>
  >();
  const epochNow = (): number => Math.floor(clock() / EPOCH_MS);

  const make = (
    { keyId, environmentId }: ApplicationKey,
    epoch: number,
    secret: 'current' | 'previous',
  ): string => {
    const number = epoch.toString(36);
    const signature = sign(keyId, `event stream\n${environmentId}\n${number}`, secret);
    return `${keyId}.${number}.${signature?.toString('base64url') ?? ''}`;
  };

  return {
    tokenOf: (key: ApplicationKey): string => {
      const epoch = epochNow();
      const known = current.get(key.keyId);
      // A key that was rotated is another object.
      if (known?.key === key && known.epoch === epoch) return known.token;
      const token = make(key, epoch, 'current');
      current.set(key.keyId, { key, epoch, token });
      return token;
    },

    /** The key that a token was made for; undefined for one that is false or too old, or whose key is not valid. */
    verify: (token: string): ApplicationKey | undefined => {
      const [, keyId = '', number = ''] = SHAPE.exec(token) ?? [];
      const key = find(keyId);
      const epoch = Number.parseInt(number, 36);
      // One to come as well: processes' clocks differ.
      if (key === undefined || Math.abs(epochNow() - epoch) > 1) return undefined;
      const isMadeWith = (secret: 'current' | 'previous'): boolean =>
        isSame(Buffer.from(token), Buffer.from(make(key, epoch, secret)));
      return isMadeWith('current') || isMadeWith('previous') ? key : undefined;
    },
  };
};

export type StreamTokens = ReturnType<typeof streamTokens>;
