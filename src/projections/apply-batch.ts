import { confirmCheckpoint, moveCheckpoint, type Checkpoint } from './checkpoint.js';
import { type LogBatch, type LogEvent } from './event-log.js';
import { foldEvents, type Folded } from './fold/fold.js';
import { type LinkedStep, linkSteps } from './fold/link-steps.js';
import { OutOfOrder, PoisonEvent } from './fold/poison.js';
import { type TrackedStreams } from './fold/tracked-streams.js';
import { READ_MODEL, READ_MODELS } from './index.js';
import { DataRefused, insertStatement, type Database, type Transaction } from './projection.js';

export type Applied = Readonly<{
  checkpoint: Checkpoint;
  /** How many events became rows. */
  events: number;
  /** The event in front of which the checkpoint now stands for good. */
  poison?: PoisonEvent;
}>;

/**
 * The events after the checkpoint. Those up to it are in the rows already: delivered twice.
 * @throws OutOfOrder
 */
export const freshEvents = (
  events: readonly LogEvent[],
  checkpoint: Checkpoint,
): readonly LogEvent[] => {
  let previous = checkpoint.position;
  return events.filter(({ position }) => {
    if (position <= checkpoint.position || position === previous) return false;
    if (position < previous) throw new OutOfOrder(position, previous);
    previous = position;
    return true;
  });
};

/** Finds an event up to the checkpoint that has no row: it was not delivered when it was due. */
const findMissed = async (
  tx: Transaction,
  events: readonly LogEvent[],
  { position: checkpoint }: Checkpoint,
): Promise<PoisonEvent | undefined> => {
  const repeated = events.filter(({ position }) => position <= checkpoint);
  if (repeated.length === 0) return undefined;
  const { rows } = await tx.query(
    `select w.position
       from unnest($1::bigint[]) as w (position)
      where not exists (select from audit_event a where a.position = w.position)`,
    [repeated.map(({ position }) => position)],
  );
  const missed = repeated.find(({ position }) => position === Number(rows[0]?.['position']));
  return missed && new PoisonEvent(missed, new OutOfOrder(missed.position, checkpoint));
};

/** Writes what the steps say into every table: one statement per table, one more to close open revisions. */
export const writeRows = async (tx: Transaction, steps: readonly LinkedStep[]): Promise<void> => {
  const filled = READ_MODELS.flatMap(({ rowsOf }) => rowsOf(steps)).filter(
    ({ rows }) => rows.length > 0,
  );
  for (const { table, rows, close } of filled) {
    const json = JSON.stringify(rows);
    if (close !== undefined) await tx.query(close.statement, [json]);
    await tx.query(insertStatement(table), [json]);
  }
};

/** Where a consumer stands after a batch: at its end, or at the last event in front of a poison one. */
export const reached = (
  checkpoint: Checkpoint,
  batch: LogBatch,
  { steps, poison }: Folded,
): Checkpoint => {
  const last = steps.at(-1)?.event;
  const applied = last?.position ?? checkpoint.position;
  return {
    position: poison === undefined ? Math.max(batch.position, applied) : applied,
    recordedAt: last?.recordedAt ?? checkpoint.recordedAt,
  };
};

const isRefusal = (error: unknown): boolean =>
  error instanceof DataRefused || error instanceof RangeError;

/** The batch's fresh events over what the rows say of their streams. */
const foldBatch = async (
  tx: Transaction,
  streams: TrackedStreams,
  from: Checkpoint,
  events: readonly LogEvent[],
): Promise<Folded & Readonly<{ steps: readonly LinkedStep[] }>> => {
  const fresh = freshEvents(events, from);
  const missed = await findMissed(tx, events, from);
  if (missed !== undefined) return { steps: [], poison: missed };
  const lookUp = await streams.load(tx, new Set(fresh.map(({ stream }) => stream)));
  const folded = foldEvents(fresh, lookUp, from.recordedAt);
  const organizations = folded.steps.map(({ parts }) => parts.organizationId);
  const headOf = await streams.chains.load(tx, new Set(organizations));
  return { ...folded, steps: linkSteps(folded.steps, headOf) };
};

/** Rows and checkpoint of one batch in one transaction; see `apply`. */
const applyTogether = async (
  database: Database,
  streams: TrackedStreams,
  from: Checkpoint,
  batch: LogBatch,
): Promise<Applied> => {
  const { folded, checkpoint } = await database.transaction(async (tx) => {
    const folded = await foldBatch(tx, streams, from, batch.events);
    const checkpoint = reached(from, batch, folded);
    if (checkpoint.position > from.position) {
      await moveCheckpoint(tx, READ_MODEL, from, checkpoint);
      await writeRows(tx, folded.steps);
    } else if (folded.poison !== undefined) await confirmCheckpoint(tx, READ_MODEL, from);
    return { folded, checkpoint };
  });
  streams.remember(folded.steps);
  const poison = folded.poison === undefined ? {} : { poison: folded.poison };
  return { checkpoint, events: folded.steps.length, ...poison };
};

/** After Postgres refused a batch: event by event, so that all in front of the refused one is applied. */
const applyOneByOne = async (
  database: Database,
  streams: TrackedStreams,
  from: Checkpoint,
  batch: LogBatch,
): Promise<Applied> => {
  let applied: Applied = { checkpoint: from, events: 0 };
  for (const event of freshEvents(batch.events, from)) {
    try {
      const single = { ...batch, events: [event], position: event.position };
      const next = await applyTogether(database, streams, applied.checkpoint, single);
      applied = { ...next, events: applied.events + next.events };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { ...applied, poison: new PoisonEvent(event, error) };
    }
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
  try {
    return await applyTogether(database, streams, from, batch);
  } catch (error) {
    streams.forget();
    if (!isRefusal(error)) throw error;
    return await applyOneByOne(database, streams, from, batch);
  }
};
