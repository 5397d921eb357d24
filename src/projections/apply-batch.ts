import { later } from '../domain/position.js';
import { confirmCheckpoint, moveCheckpoint, type Checkpoint } from './checkpoint.js';
import { type LogBatch, type LogEvent } from './event-log.js';
import { foldEvents, NO_EXCEPTIONS, type Refusals, type Step } from './fold/fold.js';
import { type LinkedStep, linkSteps } from './fold/link-steps.js';
import { OutOfOrder, type Parked, parkedOf, PoisonEvent } from './fold/poison.js';
import { type TrackedStreams } from './fold/tracked-streams.js';
import { READ_MODEL } from './read-models.js';
import { DataRefused, type Database, type Transaction } from './projection.js';
import { refoldSkipped } from './refold-stream.js';
import { writeRows } from './write-rows.js';

export type Applied = Readonly<{
  checkpoint: Checkpoint;
  /** How many events became rows. */
  events: number;
  /** Streams that stand still from now on. */
  parked: readonly Parked[];
  /** The event in front of which the checkpoint now stands for good. */
  poison?: PoisonEvent;
}>;

/**
 * The events after the last one applied. Those up to it are in the rows already: delivered twice.
 * @throws OutOfOrder
 */
export const freshEvents = (
  events: readonly LogEvent[],
  { applied }: Checkpoint,
): readonly LogEvent[] => {
  let previous = applied;
  return events.filter(({ position }) => {
    if (position <= applied || position === previous) return false;
    if (position < previous) throw new OutOfOrder(position, previous);
    previous = position;
    return true;
  });
};

/** An event that should have been applied earlier and was not: it was not delivered when it was due. */
export const missed = (event: LogEvent, { applied }: Checkpoint): PoisonEvent =>
  new PoisonEvent(event, new OutOfOrder(event.position, applied));

/** Finds an event up to the last one applied that has no row. */
const findMissed = async (
  tx: Transaction,
  events: readonly LogEvent[],
  from: Checkpoint,
): Promise<PoisonEvent | undefined> => {
  const repeated = events.filter(({ position }) => position <= from.applied);
  if (repeated.length === 0) return undefined;
  const { rows } = await tx.query(
    `select w.position
       from unnest($1::bigint[]) as w (position)
      where not exists (select from audit_event a where a.position = w.position)
      order by w.position`,
    [repeated.map(({ position }) => position)],
  );
  const first = repeated.find(({ position }) => position === rows[0]?.['position']);
  return first && missed(first, from);
};

type Folded = Readonly<{ steps: readonly Step[]; poison?: PoisonEvent }>;

/** The streams that these steps park. */
export const newlyParked = (steps: readonly Step[]): readonly Parked[] =>
  steps.flatMap(({ event, after }) =>
    after.category === 'parked' && after.since.position === event.position
      ? parkedOf(event.stream, after)
      : [],
  );

/** Where a consumer stands after a batch: at its end, or at the last event in front of a poison one. */
export const reached = (
  checkpoint: Checkpoint,
  batch: LogBatch,
  { steps, poison }: Folded,
): Checkpoint => {
  const last = steps.at(-1)?.event;
  const applied = last?.position ?? checkpoint.applied;
  const considered = poison === undefined ? batch.position : applied;
  return {
    position: [applied, checkpoint.position].reduce(later, considered),
    recordedAt: last?.recordedAt ?? checkpoint.recordedAt,
    applied,
  };
};

/** How often an event is tried, each time on what the rows say then, before its stream is parked. */
const TRIES = 3;

class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

type Attempt = Readonly<{
  database: Database;
  streams: TrackedStreams;
  /** False: an event that cannot be applied rejects. */
  mayPark: boolean;
  refusals?: Refusals;
}>;

const isRefusal = (error: unknown): boolean =>
  error instanceof DataRefused || error instanceof RangeError || error instanceof NotApplicable;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** The batch's fresh events over what the rows say of their streams. */
const foldBatch = async (
  tx: Transaction,
  { streams, mayPark, refusals = NO_EXCEPTIONS.refusals }: Attempt,
  from: Checkpoint,
  events: readonly LogEvent[],
): Promise<Folded & Readonly<{ steps: readonly LinkedStep[] }>> => {
  const fresh = freshEvents(events, from);
  const poison = await findMissed(tx, events, from);
  if (poison !== undefined) return { steps: [], poison };
  const lookUp = await streams.load(tx, new Set(fresh.map(({ stream }) => stream)));
  const whole = await streams.acrossForeign(fresh, lookUp);
  const exceptions = { refusals, skipped: streams.skipped() };
  const folded = foldEvents(whole, lookUp, from.recordedAt, exceptions);
  if (!mayPark && newlyParked(folded.steps).length > 0) throw new NotApplicable();
  const organizations = folded.steps.map(({ parts }) => parts.organizationId);
  const headOf = await streams.chains.load(tx, new Set(organizations));
  return { steps: linkSteps(folded.steps, headOf) };
};

/** Rows and checkpoint of one batch in one transaction; see `applyBatch`. */
const applyTogether = async (
  attempt: Attempt,
  from: Checkpoint,
  batch: LogBatch,
): Promise<Applied> => {
  const { database, streams } = attempt;
  const { folded, checkpoint, refolded } = await database.transaction(async (tx) => {
    const folded = await foldBatch(tx, attempt, from, batch.events);
    const checkpoint = reached(from, batch, folded);
    let refolded: readonly Step[] = [];
    if (checkpoint.position > from.position || folded.steps.length > 0) {
      await moveCheckpoint(tx, READ_MODEL, from, checkpoint);
      await writeRows(tx, folded.steps);
      refolded = await refoldSkipped(tx, streams.log, [folded.steps, checkpoint.applied]);
    } else if (folded.poison !== undefined) await confirmCheckpoint(tx, READ_MODEL, from);
    return { folded, checkpoint, refolded };
  });
  streams.remember(folded.steps);
  if (refolded.length > 0) await database.transaction(streams.lookAgain);
  const { steps, poison } = folded;
  const parked = [...newlyParked(steps), ...newlyParked(refolded)];
  return { checkpoint, events: steps.length, parked, ...(poison && { poison }) };
};

type Target = Readonly<{ database: Database; streams: TrackedStreams }>;

/**
 * One event that Postgres may refuse: tried, then its stream is parked in front of it, with what it says in the audit
 * trail or, when that is what is refused, without.
 */
const applyRefused = async (
  target: Target,
  from: Checkpoint,
  batch: LogBatch,
  event: LogEvent,
): Promise<Applied> => {
  const single = { ...batch, events: [event], position: event.position };
  let refusals: Refusals = new Map();
  let last: unknown;
  for (let tries = 1; tries <= TRIES + 2; tries += 1) {
    try {
      return await applyTogether({ ...target, mayPark: tries >= TRIES, refusals }, from, single);
    } catch (error) {
      target.streams.forget();
      if (!isRefusal(error)) throw error;
      last = error;
      const why = { error: messageOf(error), isAuditable: tries === TRIES };
      if (tries >= TRIES) refusals = new Map([[event.position, why]]);
    }
  }
  return { checkpoint: from, events: 0, parked: [], poison: new PoisonEvent(event, last) };
};

/** After Postgres refused a batch: event by event, so that one that is refused holds nothing up but its stream. */
const applyOneByOne = async (
  target: Target,
  from: Checkpoint,
  batch: LogBatch,
): Promise<Applied> => {
  let applied: Applied = { checkpoint: from, events: 0, parked: [] };
  for (const event of freshEvents(batch.events, from)) {
    const next = await applyRefused(target, applied.checkpoint, batch, event);
    const parked = [...applied.parked, ...next.parked];
    applied = { ...next, events: applied.events + next.events, parked };
    if (applied.poison !== undefined) return applied;
  }
  return applied;
};

/**
 * Applies one batch after `from`: rows and checkpoint move together or not at all.
 * @throws CheckpointMoved, OutOfOrder, or whatever the database throws: nothing was applied, or the outcome is unknown
 */
export const applyBatch = async (
  database: Database,
  streams: TrackedStreams,
  from: Checkpoint,
  batch: LogBatch,
): Promise<Applied> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await applyTogether({ database, streams, mayPark: tries >= TRIES }, from, batch);
    } catch (error) {
      streams.forget();
      if (error instanceof NotApplicable) continue;
      if (!isRefusal(error)) throw error;
      return await applyOneByOne({ database, streams }, from, batch);
    }
  }
};
