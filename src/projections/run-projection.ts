import { setTimeout as delay } from 'node:timers/promises';
import { earlier, later, type Position } from '../domain/position.js';
import { type Applied, applyBatch } from './apply-batch.js';
import {
  BEGINNING,
  type Checkpoint,
  loadCheckpoint,
  noteCaughtUp,
  overlapPosition,
} from './checkpoint.js';
import { type EventLog, type LogBatch, type LogEvent } from './event-log.js';
import { type Parked, parkedOf, poisonOf } from './fold/poison.js';
import { trackedStreams } from './fold/tracked-streams.js';
import { type StatusReporter } from './projection-status.js';
import { type Database } from './projection.js';
import { READ_MODEL } from './read-models.js';
import { replayParked } from './replay-parked.js';

const isContinued = (event: LogEvent | undefined): boolean => event?.metadata?.isContinued === true;

/** Where the append begins that the last event leaves open; the number of events when it leaves none open. */
const openFrom = (events: readonly LogEvent[]): number => {
  if (!isContinued(events.at(-1))) return events.length;
  let begin = events.length - 1;
  while (isContinued(events[begin - 1]) && events[begin - 1]?.stream === events[begin]?.stream)
    begin -= 1;
  return begin;
};

/**
 * Moves the ends of batches to where appends end, so that whoever applies them shows all of a command's events at once or
 * none. The store takes an append whole, so its end always comes.
 */
export async function* wholeAppends(batches: AsyncIterable<LogBatch>): AsyncGenerator<LogBatch> {
  let held: readonly LogEvent[] = [];
  for await (const batch of batches) {
    const events = held.length === 0 ? batch.events : [...held, ...batch.events];
    const end = openFrom(events);
    held = events.slice(end);
    if (held.length === 0) yield { ...batch, events };
    else if (end > 0)
      yield {
        events: events.slice(0, end),
        position: events[end - 1]?.position ?? -1,
        isCaughtUp: false,
      };
  }
}

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2_000;

/** Something that follows the log: Postgres's rows, Redis's snapshot. */
export type Consumer = Readonly<{
  projection: string;
  /**
   * The least time between the beginnings of two batches that leave nothing waiting. An event after silence is
   * applied at once; in a stream of them each transaction takes those of this long, and commands keep the machine.
   */
  paceMs: number;
  /**
   * Where it stands, and after which position (`from`) the log is to be read: never later than the last event applied.
   * Called before every (re)subscription.
   */
  resume: () => Promise<Checkpoint & Readonly<{ from: Position }>>;
  /** All of the batch, or all in front of a poison event; any rejection leads back to `resume`. */
  apply: (batch: LogBatch) => Promise<Applied>;
  /** Streams that stand still; all others go on. */
  parked: () => readonly Parked[];
}>;

type Run = Readonly<{
  consumer: Consumer;
  eventLog: EventLog;
  report: StatusReporter;
  signal: AbortSignal;
}>;

/** The last position considered since the start, in one unbroken row of subscriptions. */
type Considered = { position: Position };

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  if (ms > 1) await delay(ms, undefined, { signal }).catch(() => undefined);
};

/** Between half and all of a delay that doubles, so that processes do not retry in step. */
const backOffMs = (failures: number): number => {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
  return longest * (0.5 + Math.random() / 2);
};

/**
 * One subscription, until it ends or an event is poison. A stored position beyond the last event is not relied on, for
 * whoever told it may have been wrong: what comes after that event is read again, except what we have seen ourselves.
 */
const follow = async (
  { consumer, eventLog, report, signal }: Run,
  considered: Considered,
  onProgress: () => void,
): Promise<'poisoned' | 'ended'> => {
  const { from, ...stand } = await consumer.resume();
  report.resumed(stand);
  const after = later(from, earlier(stand.position, considered.position));
  const batches = eventLog.subscribe(after < 0 ? null : after, signal);
  for await (const batch of wholeAppends(batches)) {
    const began = performance.now();
    const { checkpoint, events, parked, poison } = await consumer.apply(batch);
    considered.position = batch.position;
    onProgress();
    if (parked.length > 0) report.parked(parked);
    const durationMs = performance.now() - began;
    report.applied(checkpoint, { events, durationMs, isCaughtUp: batch.isCaughtUp });
    if (poison === undefined) {
      if (batch.isCaughtUp) await pause(began + consumer.paceMs - performance.now(), signal);
      continue;
    }
    report.poisoned(poisonOf(consumer.projection, poison));
    return 'poisoned';
  }
  return 'ended';
};

/**
 * Follows the log until abort or poison. Whatever else fails - event store, Postgres, Redis, the checkpoint -
 * is met by resuming from where the consumer really stands, after a growing pause.
 */
export const runProjection = async (run: Run): Promise<void> => {
  let failures = 0;
  const considered: Considered = { position: -1 };
  const isOver = () => run.signal.aborted;
  while (!isOver()) {
    try {
      const outcome = await follow(run, considered, () => (failures = 0));
      if (outcome === 'poisoned') return;
      if (!isOver()) throw new Error('The subscription ended.');
    } catch (error) {
      if (isOver()) return;
      run.report.retrying(error);
      await pause(backOffMs(failures++), run.signal);
    }
  }
};

/** A question for the read model waits for it at most this much longer. */
const ROWS_PACE_MS = 25;

/** The consumer that writes the read model's rows; parked streams are tried again once, when it begins. */
export const rowsConsumer = (database: Database, eventLog: EventLog): Consumer => {
  const streams = trackedStreams(eventLog);
  let checkpoint = BEGINNING;
  let isReplayed = false;
  let isNoted = false;
  return {
    projection: READ_MODEL,
    paceMs: ROWS_PACE_MS,
    resume: async () => {
      streams.forget();
      const stand = await database.transaction(async (tx) => ({
        ...(await loadCheckpoint(tx, READ_MODEL)),
        from: await overlapPosition(tx),
      }));
      checkpoint = stand;
      if (!isReplayed) await replayParked({ database, eventLog, streams }, checkpoint);
      isReplayed = true;
      return stand;
    },
    apply: async (batch) => {
      const applied = await applyBatch(database, streams, checkpoint, batch);
      checkpoint = applied.checkpoint;
      if (batch.isCaughtUp && applied.poison === undefined && !isNoted) {
        await database.transaction(noteCaughtUp);
        isNoted = true;
      }
      return applied;
    },
    parked: () => [...streams.parked()].map(([stream, parked]) => parkedOf(stream, parked)),
  };
};
