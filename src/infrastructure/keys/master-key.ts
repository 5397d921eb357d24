import { Buffer } from 'node:buffer';
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Pool } from 'pg';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 32 random bytes have about 30 distinct ones, and practically never fewer than this. */
const LEAST_DISTINCT = 16;

/** The master key is not one, or not that of this installation. Never tells what it was. */
export class InvalidMasterKey extends Error {
  override readonly name = 'InvalidMasterKey';
}

/** What the master key does for one purpose, with a key derived for it (HKDF-SHA256). */
export type Wrapping = Readonly<{
  /** AES-256-GCM: nonce, ciphertext, tag. `context` must be given again to unwrap. */
  wrap: (secret: Uint8Array, context: string) => Buffer;
  /** @throws Error when it was altered, or wrapped with another key or for another context */
  unwrap: (wrapped: Uint8Array, context: string) => Buffer;
  /** HMAC-SHA256: equal for equal texts, and to be made only here. For looking personal data up. */
  digest: (text: string) => Buffer;
}>;

export type MasterKey = Readonly<{ for: (purpose: string) => Wrapping }>;

const wrappingWith = (key: Buffer): Wrapping => ({
  wrap: (secret, context) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  },
  unwrap: (wrapped, context) => {
    const bytes = Buffer.from(wrapped);
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
  },
  digest: (text) => createHmac('sha256', key).update(text).digest(),
});

const derived = (master: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', master, '', `chronoflag ${purpose}`, KEY_BYTES));

const masterKeyOf = (master: Buffer): MasterKey => ({
  for: (purpose) => wrappingWith(derived(master, purpose)),
});

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

const fromFile = async (file: string): Promise<Buffer> => {
  await mkdir(dirname(file), { recursive: true });
  const fresh = `${randomBytes(KEY_BYTES).toString('base64')}\n`;
  await writeFile(file, fresh, { flag: 'wx', mode: 0o600, flush: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  return Buffer.from(await readFile(file, 'utf8'), 'base64');
};

export type MasterKeySource = Readonly<{
  /** 32 bytes in base64. */
  configured: string | undefined;
  /** Where it is, or is made, when none is configured. */
  file: string;
}>;

/** @throws InvalidMasterKey */
export const loadMasterKey = async ({ configured, file }: MasterKeySource): Promise<MasterKey> => {
  const master =
    configured === undefined ? await fromFile(file) : Buffer.from(configured, 'base64');
  if (master.length !== KEY_BYTES)
    throw new InvalidMasterKey(`'${file}' does not hold 32 bytes in base64.`);
  if (new Set(master).size < LEAST_DISTINCT)
    throw new InvalidMasterKey(
      'The master key is not random: make one with openssl rand -base64 32.',
    );
  return masterKeyOf(master);
};

/**
 * Makes sure that all processes on a database have one master key: the first leaves its mark there.
 * @throws InvalidMasterKey
 */
export const requireSameMasterKey = async (pool: Pool, masterKey: MasterKey): Promise<void> => {
  const mark = masterKey.for('mark').digest('master key');
  await pool.query(
    'insert into chronoflag.master_key_mark (id, mark) values (1, $1) on conflict (id) do nothing',
    [mark],
  );
  const { rows } = await pool.query<{ mark: Buffer }>(
    'select m.mark from chronoflag.master_key_mark m where m.id = 1',
  );
  const known = rows[0]?.mark;
  if (known === undefined || !timingSafeEqual(known, mark))
    throw new InvalidMasterKey(
      'The database belongs to another master key: give every process the same MASTER_KEY.',
    );
};
