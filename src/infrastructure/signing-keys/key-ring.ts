import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Wrapping } from '../master-key.js';
import { type KeyRow, type UsableKey } from './signing-key-table.js';

const KID_BYTES = 9;

/** A public key as it is published. RFC 7517, RFC 8037. */
export type PublishedKey = Readonly<{
  kty: string;
  crv: string;
  x: string;
  kid: string;
  use: 'sig';
  alg: 'EdDSA';
}>;

const publishedOf = ({ kid, publicKey }: KeyRow): PublishedKey => {
  const { kty = '', crv = '', x = '' } = createPublicKey(publicKey).export({ format: 'jwk' });
  return { kty, crv, x, kid, use: 'sig', alg: 'EdDSA' };
};

/** A new key pair, its private part wrapped. */
export const newSigningKey = (wrapping: Wrapping): KeyRow => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = randomBytes(KID_BYTES).toString('base64url');
  return {
    kid,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: wrapping.wrap(privateKey.export({ type: 'pkcs8', format: 'der' }), kid),
  };
};

/** Undoes the wrapping. PEM. @throws Error for a key that was wrapped by another master key */
const opened = (wrapping: Wrapping, { kid, privateKey }: KeyRow): string =>
  createPrivateKey({ key: wrapping.unwrap(privateKey, kid), format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();

/** The signing keys that this process knows, so that looking one up waits for nothing. */
export const keyRing = (wrapping: Wrapping) => {
  let publicKeys: ReadonlyMap<string, string> = new Map();
  let published: readonly PublishedKey[] = [];
  let signing: Readonly<{ kid: string; privateKey: string }> | undefined;

  return {
    adopt: (keys: readonly UsableKey[]): void => {
      const signer = keys.find(({ isSigning }) => isSigning);
      if (signer?.kid !== signing?.kid)
        signing = signer && { kid: signer.kid, privateKey: opened(wrapping, signer) };
      const isSame =
        keys.length === publicKeys.size && keys.every(({ kid }) => publicKeys.has(kid));
      if (isSame) return;
      publicKeys = new Map(keys.map(({ kid, publicKey }) => [kid, publicKey]));
      published = keys.map(publishedOf);
    },
    /** PEM of a key that is usable now. */
    publicKey: (kid: string): string | undefined => publicKeys.get(kid),
    signing: () => signing,
    published: () => published,
  };
};

export type KeyRing = ReturnType<typeof keyRing>;
