import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type SigningKey, type VerifyingKey } from '../../domain/audit/checkpoint.js';
import { linesOfSuccession, type Succession } from '../../domain/audit/succession.js';
import { canonicalJson } from '../../domain/json.js';

/** The file is not a private Ed25519 key, or not there although it was configured. */
class InvalidSigningKey extends Error {
  override readonly name = 'InvalidSigningKey';
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

/** Only the owner can read it; a process that does so at the same moment wins or loses as a whole. */
const generateSigningKey = async (file: string): Promise<void> => {
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
    // Reported below, never with the content of the file.
  }
  throw new InvalidSigningKey(`'${file}' is not a private Ed25519 key in PEM.`);
};

const verifyingKey = (publicKey: KeyObject): VerifyingKey => {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyId: createHash('sha256').update(der).digest('hex').slice(0, 16),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    verify: (text, signature) =>
      verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64')),
  };
};

/** The id of a public Ed25519 key in PEM; undefined for anything else. */
const readKey = (pem: string): VerifyingKey | undefined => {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? verifyingKey(key) : undefined;
  } catch {
    return undefined;
  }
};

/** Beside the key: one succession per line, the first one first. */
export const successionsFile = (file: string): string => `${file}.successions`;

const successionsIn = async (file: string): Promise<readonly Succession[]> => {
  const text = await readFile(successionsFile(file), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Succession);
};

/** A key with the way back over those that it came after, the latest first. */
export type AuditKey = SigningKey & Readonly<{ successions: readonly Succession[] }>;

const auditKey = (privateKey: KeyObject, successions: readonly Succession[]): AuditKey => {
  const own = verifyingKey(createPublicKey(privateKey));
  const lines = linesOfSuccession(own, successions, readKey);
  return {
    ...own,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
    retired: lines.map(({ previous }) => previous),
    successions: lines.map(({ succession }) => succession),
  };
};

export type SigningKeyFile = Readonly<{
  file: string;
  /** Make the key when there is none; only where nobody configured one. */
  mayGenerate: boolean;
}>;

/** The key that signs checkpoints. @throws InvalidSigningKey */
export const loadSigningKey = async ({ file, mayGenerate }: SigningKeyFile): Promise<AuditKey> => {
  const read = async (): Promise<AuditKey> =>
    auditKey(parse(file, await readFile(file, 'utf8')), await successionsIn(file));
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (!mayGenerate) throw new InvalidSigningKey(`'${file}' is not there.`, { cause: error });
    await generateSigningKey(file);
    return read();
  }
};

/**
 * Puts a new key in the place of the one that signs checkpoints, after the old one signed that it comes next. Whenever
 * this is interrupted, there is one key that works: the old or the new. Processes take it up when they start.
 * @throws InvalidSigningKey when there is none to come after
 */
export const rotateSigningKey = async (file: string, now: Date): Promise<Succession> => {
  const current = await loadSigningKey({ file, mayGenerate: false });
  const newFile = `${file}.new`;
  await rm(newFile, { force: true });
  await generateSigningKey(newFile);
  const next = await loadSigningKey({ file: newFile, mayGenerate: false });
  const statement = {
    version: 1,
    keyId: next.keyId,
    publicKey: next.publicKey,
    previousKeyId: current.keyId,
    previousPublicKey: current.publicKey,
    at: now.toISOString(),
  } as const;
  const succession = { statement, signature: current.sign(canonicalJson(statement)) };
  await appendFile(successionsFile(file), `${JSON.stringify(succession)}\n`, { flush: true });
  await rename(newFile, file);
  return succession;
};
