import { canonicalJson } from '../json.js';

/**
 * What is signed: that an organization's chain had `count` events, the last one at `position`, with `head` over all of
 * them. `root`: of the Merkle tree over the hashes of the links `from + 1` to `count`. Hashes are hex.
 */
export type CheckpointStatement = Readonly<{
  version: 1;
  organization: string;
  from: number;
  count: number;
  /** Digits where a double does not hold it. */
  position: number | string;
  head: string;
  root: string;
  /** RFC 3339, UTC: when it was signed, by the clock of who signed. */
  at: string;
  keyId: string;
}>;

export type Checkpoint = Readonly<{
  statement: CheckpointStatement;
  /** Ed25519 over the statement's canonical JSON (UTF-8), base64. */
  signature: string;
}>;

/** `keyId`: the first 16 hex digits of SHA-256 of the public key (SPKI, DER). */
export type VerifyingKey = Readonly<{
  keyId: string;
  /** SPKI, PEM. */
  publicKey: string;
  verify: (text: string, signature: string) => boolean;
}>;

/** Port to the key that signs, and to those that it came after: what they signed still counts. */
export type SigningKey = VerifyingKey &
  Readonly<{ sign: (text: string) => string; retired: readonly VerifyingKey[] }>;

export const signed = (key: SigningKey, statement: CheckpointStatement): Checkpoint => ({
  statement,
  signature: key.sign(canonicalJson(statement)),
});

/** Which of our keys signed exactly this statement; undefined when none did. */
export const signerOf = (
  key: SigningKey,
  { statement, signature }: Checkpoint,
): VerifyingKey | undefined =>
  [key, ...key.retired].find(
    ({ keyId, verify }) => statement.keyId === keyId && verify(canonicalJson(statement), signature),
  );
