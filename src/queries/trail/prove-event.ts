import { attestationOf, CHAIN_START, hashOf } from '../../domain/audit/chain.js';
import { type Checkpoint, signerOf } from '../../domain/audit/checkpoint.js';
import { inclusionPath, merkleRoot } from '../../domain/audit/merkle.js';
import { DomainError } from '../../domain/decider.js';
import { type JsonObject } from '../../domain/json.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { checkpointsOver } from './checkpoints.js';
import { type TrailDeps } from './verify-trail.js';

/** All that a stranger needs to check one event against a checkpoint: docs/audit.md has the script. */
export type EventProof = Readonly<{
  /** What is attested; its leaf is SHA-256 of its canonical JSON. */
  event: JsonObject;
  /** Index of the leaf among the `size` leaves of the checkpoint's tree, from 0. */
  index: number;
  size: number;
  /** Hashes (hex) beside the way from the leaf to the root, from the bottom up. */
  path: readonly string[];
  checkpoint: Checkpoint;
  publicKey: string;
}>;

const eventNotFound = (position: Position): DomainError =>
  new DomainError('event-not-found', `This organization has no event at position ${position}.`);

type Placed = Readonly<{ sequence: number; before: Position | null }>;

/** Where an event is in its chain, and the position in front of it in the log: reads can only begin at an event. */
const placeOf = async (
  db: Database,
  organizationId: string,
  position: Position,
): Promise<Placed> => {
  const { rows } = await db.query<Placed>({
    name: 'chain_place',
    text: `select c.sequence::float8 as sequence,
                  (select max(e.position) from audit_event e where e.position < $2) as before
             from audit_chain c
            where c.organization_id = $1
              and c.position = $2`,
    values: [organizationId, position],
  });
  if (rows[0] === undefined) throw eventNotFound(position);
  return rows[0];
};

/** Hashes of the links `from` to `to`, both inclusive. */
const linksBetween = async (
  db: Database,
  organizationId: string,
  from: number,
  to: number,
): Promise<readonly string[]> => {
  const { rows } = await db.query<{ hash: string }>({
    name: 'chain_links',
    text: `select encode(c.hash, 'hex') as hash
             from audit_chain c
            where c.organization_id = $1
              and c.sequence between $2 and $3
            order by c.sequence`,
    values: [organizationId, from, to],
  });
  return rows.map(({ hash }) => hash);
};

const eventAt = async ({ log }: TrailDeps, before: Position | null, position: Position) => {
  const stopping = new AbortController();
  try {
    for await (const { events } of log.readForward(before, stopping.signal)) {
      const event = events.find((candidate) => candidate.position >= position);
      if (event !== undefined) return event.position === position ? event : undefined;
    }
    return undefined;
  } finally {
    stopping.abort();
  }
};

const coveringCheckpoint = async (
  { db, key }: TrailDeps,
  organizationId: string,
  sequence: number,
): Promise<Checkpoint> => {
  const candidates = await checkpointsOver(db)(organizationId, sequence);
  const covering = candidates.find((checkpoint) => signerOf(key, checkpoint) !== undefined);
  if (covering === undefined)
    throw new DomainError(
      'event-not-signed',
      'No checkpoint covers the event yet; POST /api/v1/audit/checkpoints makes one.',
    );
  return covering;
};

/**
 * Shows that an event, as the log has it, is among those that a checkpoint was signed over.
 * @throws DomainError event-not-found, event-not-signed, audit-chain-broken
 */
export const proveEvent =
  (deps: TrailDeps) =>
  async (organizationId: string, position: Position): Promise<EventProof> => {
    const { db, key } = deps;
    const { sequence, before } = await placeOf(db, organizationId, position);
    const checkpoint = await coveringCheckpoint(deps, organizationId, sequence);
    const { from, count, root } = checkpoint.statement;
    const [previous = CHAIN_START.hash] = await linksBetween(
      ...([db, organizationId, sequence - 1, sequence - 1] as const),
    );
    const leaves = await linksBetween(db, organizationId, from + 1, count);
    const stored = await eventAt(deps, before, position);
    const event =
      stored && attestationOf(organizationId, { sequence: sequence - 1, hash: previous }, stored);
    const index = sequence - from - 1;
    if (!event || hashOf(event) !== leaves[index] || merkleRoot(leaves) !== root)
      throw new DomainError(
        'audit-chain-broken',
        'The event does not match its signature: GET /api/v1/audit/verify says what is wrong.',
      );
    return {
      event,
      index,
      size: count - from,
      path: inclusionPath(leaves, index),
      checkpoint,
      publicKey: signerOf(key, checkpoint)?.publicKey ?? key.publicKey,
    };
  };
