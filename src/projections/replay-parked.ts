import { holdCheckpoint, type Checkpoint } from './checkpoint.js';
import { type EventLog } from './event-log.js';
import { behindSkipped, type TrackedParked } from './fold/tracked.js';
import { replayedSteps } from './fold/replay.js';
import { loadStates, type TrackedStreams } from './fold/tracked-streams.js';
import { READ_MODEL } from './read-models.js';
import { DataRefused, type Database } from './projection.js';
import { eventsUpTo, recordedTimes, refoldSkipped } from './refold-stream.js';
import { writeStreamRows } from './write-rows.js';

type Target = Readonly<{ database: Database; eventLog: EventLog; streams: TrackedStreams }>;

const replayStream = async (
  { database, eventLog, streams }: Target,
  from: Checkpoint,
  [stream, parked]: readonly [string, TrackedParked],
): Promise<void> => {
  const { since, position } = parked;
  const events = await eventsUpTo(eventLog, stream, [since.revision, position]);
  await database.transaction(async (tx) => {
    await holdCheckpoint(tx, READ_MODEL, from);
    const state = new Map(await loadStates(tx, [stream])).get(stream);
    const skipped = streams.skipped();
    const held = behindSkipped(stream, state, skipped, since.revision);
    const recordedAt = await recordedTimes(tx, stream, since.revision);
    const whole = await streams.acrossForeign(events, () => held);
    const steps = replayedSteps(whole, held, { skipped, recordedAt });
    if (steps === undefined) return;
    await tx.query('delete from parked_stream where stream = $1', [stream]);
    await writeStreamRows(tx, steps);
    await refoldSkipped(tx, eventLog, [steps, from.applied]);
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
  await database.transaction(streams.lookAgain);
};
