import { type StoredEvent } from '../../domain/audit/chain.js';
import {
  type Checkpoint,
  type CheckpointStatement,
  signerOf,
  type SigningKey,
} from '../../domain/audit/checkpoint.js';
import { DomainError } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { parseStream } from '../../domain/streams.js';
import { type StoresVerification } from '../../domain/verification.js';
import { type Database } from '../database.js';
import { readPosition } from '../moments/read-position.js';
import { listCheckpoints } from './checkpoints.js';
import { type Compared, compareTrail, type Reproduction } from './compare-trail.js';
import { type Tally } from './findings.js';
import { pairUp } from './pair-up.js';
import { type WholeLog } from './trail-sources.js';
import { judgeCompleteness, judgeIntegrity, type Judged } from './verdicts.js';
import { witnessed } from './witness.js';

export type TrailVerification = Readonly<{
  organization: string;
  /** In the log; the last of them is at `position`. */
  events: number;
  position: Position;
  /** Of the chain over all of them, computed anew. */
  head: string;
  /** Events that the read model has not taken in yet. */
  unattested: number;
  integrity: Judged;
  completeness: Judged;
  /** What the verdicts were reached against; null without one. */
  checkpoint: (Checkpoint & Readonly<{ reproduction: Reproduction }>) | null;
  /** Checkpoints here that our key did not sign. They prove nothing. */
  unknownSignatures: number;
  /** Where the read model differs from a log that is proven. */
  readModel: Tally;
}>;

export type FullVerification = TrailVerification &
  Readonly<{
    /** Whether the stores that are made from the log agree with it, and with each other. */
    stores: StoresVerification;
  }>;

export type VerifyTrail = Readonly<{
  organizationId: string;
  /** Brought by who asks. @defaultValue the latest here */
  checkpoint?: Checkpoint | undefined;
  /** Ends the work: who asked has gone. */
  signal?: AbortSignal | undefined;
}>;

export type TrailDeps = Readonly<{ db: Database; log: WholeLog; key: SigningKey }>;

async function* eventsOf(
  log: WholeLog,
  organizationId: string,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  for await (const { events } of log.readForward(null, signal))
    for (const event of events)
      if (parseStream(event.stream)?.organizationId === organizationId) yield event;
}

const requireSigned = (key: SigningKey, organizationId: string, brought: Checkpoint): void => {
  if (brought.statement.organization !== organizationId || !signerOf(key, brought))
    throw new DomainError(
      'invalid-checkpoint',
      `Neither key ${key.keyId} nor one before it signed this checkpoint for this organization.`,
    );
};

const compareAll = async (
  { db, log }: TrailDeps,
  { organizationId, signal }: VerifyTrail,
  statements: readonly CheckpointStatement[],
): Promise<Compared> => {
  const stopping = new AbortController();
  const { position: upTo } = await readPosition(db)();
  const comparison = compareTrail(organizationId, statements, upTo);
  const logged = eventsOf(log, organizationId, stopping.signal);
  try {
    for await (const pair of pairUp(logged, witnessed(db, organizationId))) {
      signal?.throwIfAborted();
      comparison.take(pair);
    }
  } finally {
    stopping.abort();
  }
  return comparison.result();
};

/**
 * Reads the whole log anew and judges an organization's part of it, against the read model (which remembers what was
 * written, event by event) and a signed checkpoint (which shows whether that memory can be trusted).
 * @throws DomainError invalid-checkpoint
 */
export const verifyTrail =
  (deps: TrailDeps) =>
  async (asked: VerifyTrail): Promise<TrailVerification> => {
    const { db, key } = deps;
    const { organizationId, checkpoint: brought } = asked;
    if (brought !== undefined) requireSigned(key, organizationId, brought);
    const stored = await listCheckpoints(db)(organizationId);
    const trusted = stored.filter((checkpoint) => signerOf(key, checkpoint) !== undefined);
    const checkpoint = brought ?? trusted.at(-1);
    const all = brought === undefined ? trusted : [...trusted, brought];
    const statements = all.map(({ statement }) => statement);
    const compared = await compareAll(deps, asked, statements);
    const statement = checkpoint?.statement;
    return {
      organization: organizationId,
      events: compared.head.sequence,
      position: compared.position,
      head: compared.head.hash,
      unattested: compared.unattested,
      integrity: judgeIntegrity(compared, statement),
      completeness: judgeCompleteness(compared, statement),
      checkpoint: checkpoint
        ? { ...checkpoint, reproduction: compared.reproductionOf(checkpoint.statement) }
        : null,
      unknownSignatures: stored.length - trusted.length,
      readModel: compared.readModel,
    };
  };
