import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type SigningKey } from '../../domain/audit/checkpoint.js';

/** The file is not a private Ed25519 key, or not there although it was configured. */
export class InvalidSigningKey extends Error {
  override readonly name = 'InvalidSigningKey';
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

/** Only the owner can read it; a process that does so at the same moment wins or loses as a whole. */
const generate = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(file, pem, { flag: 'wx', mode: 0o600, flush: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
};

const parse = (file: string, pem: string): KeyObject => {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Told below: never with what the file holds.
  }
  throw new InvalidSigningKey(`'${file}' is not a private Ed25519 key in PEM.`);
};

const signingKey = (privateKey: KeyObject): SigningKey => {
  const publicKey = createPublicKey(privateKey);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyId: createHash('sha256').update(der).digest('hex').slice(0, 16),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
    verify: (text, signature) =>
      verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64')),
  };
};

export type SigningKeyFile = Readonly<{
  file: string;
  /** Make the key when there is none; only where nobody configured one. */
  mayGenerate: boolean;
}>;

/** The key that signs checkpoints. @throws InvalidSigningKey */
export const loadSigningKey = async ({
  file,
  mayGenerate,
}: SigningKeyFile): Promise<SigningKey> => {
  const read = async (): Promise<string> => readFile(file, 'utf8');
  try {
    return signingKey(parse(file, await read()));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (!mayGenerate) throw new InvalidSigningKey(`'${file}' is not there.`, { cause: error });
    await generate(file);
    return signingKey(parse(file, await read()));
  }
};
