import { createHash } from 'node:crypto';
import { canonicalJson, type Json, type JsonObject } from '../json.js';
import { type Position, positionInJson } from '../position.js';

/** An event as the store has it: `recordedAt` is the store's own time, not made monotone. */
export type StoredEvent = Readonly<{
  id: string;
  type: string;
  stream: string;
  revision: number;
  position: Position;
  recordedAt: string;
  data: unknown;
  metadata: unknown;
}>;

/** A place in an organization's chain: how many events there are up to it, and the hash (hex) over all of them. */
export type Link = Readonly<{ sequence: number; hash: string }>;

/** In front of the first event. */
export const CHAIN_START: Link = { sequence: 0, hash: '0'.repeat(64) };

const present = (value: unknown): Json => (value === undefined ? null : (value as Json));

/** All that a link attests. `data` and `metadata` (with its schemaVersion) are JSON as the store gave it. */
export const attestationOf = (
  organization: string,
  { sequence, hash: previous }: Link,
  { id, type, stream, revision, position, recordedAt, data, metadata }: StoredEvent,
): JsonObject => ({
  organization,
  sequence: sequence + 1,
  previous,
  id,
  type,
  stream,
  revision,
  position: positionInJson(position),
  recordedAt,
  data: present(data),
  metadata: present(metadata),
});

/** SHA-256 (hex) of the canonical JSON (RFC 8785). @throws RangeError when it is nested too deeply to be ours */
export const hashOf = (attestation: JsonObject): string =>
  createHash('sha256').update(canonicalJson(attestation)).digest('hex');

const WITHOUT_CONTENT = { data: null, metadata: null } as const;

/** The link that an event adds after `previous`; one that is nested too deeply to be ours is attested without its content. */
export const linkAfter = (previous: Link, organization: string, event: StoredEvent): Link => {
  const attestation = attestationOf(organization, previous, event);
  const sequence = previous.sequence + 1;
  try {
    return { sequence, hash: hashOf(attestation) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { sequence, hash: hashOf({ ...attestation, ...WITHOUT_CONTENT }) };
  }
};
