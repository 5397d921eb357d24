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
  position: number;
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

/** Port to the key that signs. `keyId`: the first 16 hex digits of SHA-256 of the public key (SPKI, DER). */
export type SigningKey = Readonly<{
  keyId: string;
  /** SPKI, PEM. */
  publicKey: string;
  sign: (text: string) => string;
  verify: (text: string, signature: string) => boolean;
}>;

export const signed = (key: SigningKey, statement: CheckpointStatement): Checkpoint => ({
  statement,
  signature: key.sign(canonicalJson(statement)),
});

/** Whether this key signed exactly this statement. */
export const isSignedBy = (key: SigningKey, { statement, signature }: Checkpoint): boolean =>
  statement.keyId === key.keyId && key.verify(canonicalJson(statement), signature);
