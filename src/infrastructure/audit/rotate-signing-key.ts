import { appendFile, rename, rm } from 'node:fs/promises';
import { type Succession } from '../../domain/audit/succession.js';
import { canonicalJson } from '../../domain/json.js';
import { generateSigningKey, loadSigningKey, successionsFile } from './signing-key.js';

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
