import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Pool, type PoolClient } from 'pg';
import { LOCKS, transaction } from '../postgres/postgres.js';
import { type Wrapping } from './master-key.js';

type KeyRow = Readonly<{
  kid: string;
  /** PEM. */
  publicKey: string;
  /** PKCS #8, wrapped. */
  privateKey: Buffer;
}>;

/** `isSigning`: of one key at a time. */
type UsableKey = KeyRow & Readonly<{ isSigning: boolean }>;

export type ListedKey = Readonly<{ kid: string; signsFrom: Date; isSigning: boolean }>;

/** Longer than anybody keeps the published set (JWKS_SECONDS), so that nobody meets a key he has not heard of. */
const PUBLISHED_BEFORE = '15 minutes';

/** Longer than an access token lives. */
const VERIFIES_AFTER = '20 minutes';

/** Every key that is not removed, with the moment at which the next one signs. */
const KEYS = `select k.kid, k.public_key, k.private_key, k.signs_from,
                     lead(k.signs_from) over (order by k.signs_from, k.kid) as next_from
                from chronoflag.signing_key k
               where k.removed_at is null`;

const IS_SIGNING = `k.signs_from <= now() and (k.next_from is null or k.next_from > now())`;

const insert = async (client: PoolClient, key: KeyRow, after: string): Promise<void> => {
  await client.query(
    `insert into chronoflag.signing_key (kid, public_key, private_key, signs_from)
     values ($1, $2, $3, now() + $4::interval)`,
    [key.kid, key.publicKey, key.privateKey, after],
  );
};

const isOneSigning = async (client: PoolClient): Promise<boolean> => {
  const { rowCount } = await client.query(`select from (${KEYS}) k where ${IS_SIGNING}`);
  return rowCount === 1;
};

const isOneYounger = async (client: PoolClient, days: number): Promise<boolean> => {
  const { rows } = await client.query<{ isYoung: boolean }>(
    `select coalesce(max(k.signs_from) > now() - make_interval(days => $1), false) as "isYoung"
       from (${KEYS}) k`,
    [days],
  );
  return rows[0]?.isYoung === true;
};

/** Signing keys in Postgres, on its clock. */
export const signingKeyTable = (pool: Pool) => {
  const alone = <T>(work: (client: PoolClient) => Promise<T>): Promise<T> =>
    transaction(pool, async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [LOCKS.signingKeys]);
      return work(client);
    });

  return {
    /** Those that sign, will sign, or signed what may still be valid. */
    usable: async (): Promise<readonly UsableKey[]> => {
      const { rows } = await pool.query<UsableKey>({
        name: 'signing_keys_usable',
        text: `select k.kid, k.public_key as "publicKey", k.private_key as "privateKey",
                      ${IS_SIGNING} as "isSigning"
                 from (${KEYS}) k
                where k.next_from is null
                   or k.next_from > now() - interval '${VERIFIES_AFTER}'
                order by k.signs_from, k.kid`,
      });
      return rows;
    },

    list: async (): Promise<readonly ListedKey[]> => {
      const { rows } = await pool.query<ListedKey>(
        `select k.kid, k.signs_from as "signsFrom", ${IS_SIGNING} as "isSigning"
           from (${KEYS}) k
          order by k.signs_from, k.kid`,
      );
      return rows;
    },

    /** Adds the key when there is none that signs, or none younger than so many days. */
    rotate: async (key: KeyRow, afterDays: number): Promise<'kept' | 'first' | 'rotated'> =>
      alone(async (client) => {
        const isSigning = await isOneSigning(client);
        if (isSigning && (await isOneYounger(client, afterDays))) return 'kept';
        await insert(client, key, isSigning ? PUBLISHED_BEFORE : '0');
        return isSigning ? 'rotated' : 'first';
      }),

    /** What the key signed stops being valid at once. @returns false when there is no such key */
    remove: async (kid: string, replacement: KeyRow): Promise<boolean> =>
      alone(async (client) => {
        const { rowCount } = await client.query(
          `update chronoflag.signing_key
              set removed_at = now()
            where kid = $1
              and removed_at is null`,
          [kid],
        );
        if (rowCount === 1 && !(await isOneSigning(client))) await insert(client, replacement, '0');
        return rowCount === 1;
      }),
  };
};

const KID_BYTES = 9;

/** A public key as it is published. RFC 7517, RFC 8037. */
type PublishedKey = Readonly<{
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
