import { type Position } from '../domain/position.js';
import { holdCheckpoint, type Checkpoint } from './checkpoint.js';
import { type EventLog, type LogEvent } from './event-log.js';
import { type TrackedParked } from './fold/tracked.js';
import { replayedSteps } from './fold/replay.js';
import { loadStates, type TrackedStreams } from './fold/tracked-streams.js';
import { writeStreamRows } from './apply-batch.js';
import { READ_MODEL } from './read-models.js';
import { DataRefused, type Database, type Transaction } from './projection.js';

/** The events of a parked stream that have been passed by, from the one that it stands at on. */
export const waitingEvents = async (
  { readStream }: Pick<EventLog, 'readStream'>,
  stream: string,
  { since, position }: TrackedParked,
): Promise<readonly LogEvent[]> => {
  const stopping = new AbortController();
  const events: LogEvent[] = [];
  try {
    for await (const event of readStream(stream, since.revision, stopping.signal)) {
      if (event.position > position) break;
      events.push(event);
    }
  } finally {
    stopping.abort();
  }
  return events;
};

/** The times that the audit trail has for the events of a stream; those of the log itself are not monotone. */
const recordedTimes = async (tx: Transaction, stream: string, revision: number) => {
  const { rows } = await tx.query(
    `select e.position, e.recorded_at
       from audit_event e
      where e.stream = $1
        and e.revision >= $2`,
    [stream, revision],
  );
  const times = new Map(
    rows.map((row) => [row['position'] as Position, (row['recorded_at'] as Date).toISOString()]),
  );
  return ({ position, recordedAt }: LogEvent): string => times.get(position) ?? recordedAt;
};

type Target = Readonly<{ database: Database; eventLog: EventLog; streams: TrackedStreams }>;

const replayStream = async (
  { database, eventLog, streams }: Target,
  from: Checkpoint,
  [stream, parked]: readonly [string, TrackedParked],
): Promise<void> => {
  const events = await waitingEvents(eventLog, stream, parked);
  await database.transaction(async (tx) => {
    await holdCheckpoint(tx, READ_MODEL, from);
    const held = new Map(await loadStates(tx, [stream])).get(stream);
    const times = await recordedTimes(tx, stream, parked.since.revision);
    const whole = await streams.acrossForeign(events, () => held);
    const steps = replayedSteps(whole, held, times);
    if (steps === undefined) return;
    await tx.query('delete from parked_stream where stream = $1', [stream]);
    await writeStreamRows(tx, steps);
  });
};

/**
 * Tries every parked stream again, from the event that it stands at on: this version may understand it. One that still
 * cannot be applied stays as it is, or moves on to the next such event.
 * @throws CheckpointMoved, or whatever the database or the log throws
 */
export const replayParked = async (target: Target, from: Checkpoint): Promise<void> => {
  const { database, streams } = target;
  const parked = await database.transaction((tx) => streams.loadParked(tx));
  if (parked.size === 0) return;
  for (const entry of parked) {
    try {
      await replayStream(target, from, entry);
    } catch (error) {
      if (!(error instanceof DataRefused)) throw error;
    }
  }
  streams.forget();
  await database.transaction((tx) => streams.loadParked(tx));
};
