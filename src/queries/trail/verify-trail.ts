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
import { type StoresVerification, type VerificationProgress } from '../../domain/verification.js';
import { type Database } from '../database.js';
import { readPosition } from '../moments.js';
import { listCheckpoints } from './checkpoints.js';
import { type Compared, compareTrail, pairUp, type Reproduction } from './compare-trail.js';
import { type Tally } from './findings.js';
import { type WholeLog, witnessed } from './witness.js';

/** `unproven`: nothing speaks against it, and nothing that was signed shows it. */
type Verdict = 'holds' | 'broken' | 'unproven';

export type Judged = Tally & Readonly<{ verdict: Verdict; explanation: string }>;

const judged = (verdict: Verdict, tally: Tally, explanation: string): Judged => ({
  verdict,
  ...tally,
  explanation,
});

const UNSIGNED = 'There is no checkpoint to compare with.';
const reproduces = (count: number): string =>
  `The log reproduces the checkpoint over its first ${count} events.`;

/** Verdict on a log without findings that is long enough and does not reproduce the checkpoint. */
const whyDifferent = ({ integrity }: Compared, { position }: CheckpointStatement): Judged =>
  judged(
    'broken',
    integrity,
    `The log does not reproduce the checkpoint, and the read model agrees with the log: something at or before position ${position} is not what was signed.`,
  );

/** Nothing altered, moved or inserted. */
export const judgeIntegrity = (
  compared: Compared,
  checkpoint: CheckpointStatement | undefined,
): Judged => {
  const { integrity, completeness } = compared;
  if (integrity.found > 0)
    return judged('broken', integrity, 'Events are not what, or where, was written.');
  if (checkpoint === undefined) return judged('unproven', integrity, UNSIGNED);
  const reproduction = compared.reproductionOf(checkpoint);
  if (reproduction === 'reproduced')
    return judged('holds', integrity, reproduces(checkpoint.count));
  if (compared.isWitnessAuthentic(checkpoint) && completeness.found > 0)
    return judged('holds', integrity, 'Every event that is left is the one that was signed.');
  return reproduction === 'different'
    ? whyDifferent(compared, checkpoint)
    : judged('unproven', integrity, 'The log ends before the checkpoint.');
};

/** Nothing dropped or cut off. */
export const judgeCompleteness = (
  compared: Compared,
  checkpoint: CheckpointStatement | undefined,
): Judged => {
  const { completeness, integrity, head } = compared;
  if (completeness.found > 0)
    return judged('broken', completeness, 'Events that were written are not there.');
  if (checkpoint === undefined) return judged('unproven', completeness, UNSIGNED);
  const reproduction = compared.reproductionOf(checkpoint);
  if (reproduction === 'reproduced')
    return judged('holds', completeness, reproduces(checkpoint.count));
  if (reproduction === 'too-short') {
    const short = `The checkpoint counts ${checkpoint.count} events, the log has ${head.sequence}.`;
    return judged('broken', { ...completeness, found: checkpoint.count - head.sequence }, short);
  }
  return compared.isWitnessAuthentic(checkpoint) && integrity.found > 0
    ? judged('holds', completeness, 'Every event that was signed is there, though not as it was.')
    : judged('unproven', completeness, 'The log does not reproduce the checkpoint.');
};

type TrailVerification = Readonly<{
  organization: string;
  /** In the log; the last of them is at `position`. */
  events: number;
  position: Position;
  /** Head of the chain over all of them, computed anew. */
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
  onProgress?: VerificationProgress | undefined;
}>;

/** Events between two reports of progress. */
const REPORTED_EVERY = 5_000;

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
      `Neither key ${key.keyId} nor any earlier key signed this checkpoint for this organization.`,
    );
};

const compareAll = async (
  { db, log }: TrailDeps,
  { organizationId, signal, onProgress }: VerifyTrail,
  statements: readonly CheckpointStatement[],
): Promise<Compared> => {
  const stopping = new AbortController();
  const { position: upTo } = await readPosition(db)();
  const comparison = compareTrail(organizationId, statements, upTo);
  const logged = eventsOf(log, organizationId, stopping.signal);
  let done = 0;
  try {
    for await (const pair of pairUp(logged, witnessed(db, organizationId))) {
      signal?.throwIfAborted();
      comparison.take(pair);
      done += 1;
      if (done % REPORTED_EVERY === 0) onProgress?.('events', done);
    }
  } finally {
    stopping.abort();
  }
  onProgress?.('events', done);
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
