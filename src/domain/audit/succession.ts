import { canonicalJson } from '../json.js';
import { type VerifyingKey } from './checkpoint.js';

/** What a key that signs checkpoints says of the one that comes after it. Keys are SPKI, PEM. */
export type SuccessionStatement = Readonly<{
  version: 1;
  keyId: string;
  publicKey: string;
  previousKeyId: string;
  previousPublicKey: string;
  /** RFC 3339, UTC. */
  at: string;
}>;

export type Succession = Readonly<{
  statement: SuccessionStatement;
  /** Signature by the previous key: Ed25519 over the statement's canonical JSON (UTF-8), base64. */
  signature: string;
}>;

/** `publicKey` (PEM) to a key that verifies; undefined for what is none. */
export type ReadKey = (publicKey: string) => VerifyingKey | undefined;

/** The previous key, when it did sign that this is its successor. */
const predecessorIn = (
  { statement, signature }: Succession,
  readKey: ReadKey,
): VerifyingKey | undefined => {
  const previous = readKey(statement.previousPublicKey);
  if (previous?.keyId !== statement.previousKeyId) return undefined;
  return previous.verify(canonicalJson(statement), signature) ? previous : undefined;
};

/**
 * The way back from a key over those that it came after, the latest first. What is not signed, or leads elsewhere, is
 * left out, and all before it.
 */
export const linesOfSuccession = (
  current: VerifyingKey,
  successions: readonly Succession[],
  readKey: ReadKey,
): readonly Readonly<{ succession: Succession; previous: VerifyingKey }>[] => {
  const found: Readonly<{ succession: Succession; previous: VerifyingKey }>[] = [];
  let key = current;
  for (const succession of successions.toReversed()) {
    const { keyId, publicKey } = succession.statement;
    if (keyId !== key.keyId || publicKey !== key.publicKey) continue;
    const previous = predecessorIn(succession, readKey);
    if (previous === undefined) break;
    found.push({ succession, previous });
    key = previous;
  }
  return found;
};
