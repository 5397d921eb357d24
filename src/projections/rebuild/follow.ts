import { earlier, type Position } from '../../domain/position.js';
import { applyBatch } from '../apply-batch.js';
import { BEGINNING, type Checkpoint, moveCheckpoint } from '../checkpoint.js';
import { type PoisonEvent } from '../fold/poison.js';
import { trackedStreams } from '../fold/tracked-streams.js';
import { READ_MODEL } from '../index.js';
import { type RebuildOptions } from './rebuild-options.js';

/** Applies the log to the rebuilt read model like live, from where it stands up to `until`. */
export const follower = ({ database, eventLog, signal, progress }: RebuildOptions) => {
  const streams = trackedStreams(eventLog);
  let checkpoint: Checkpoint = BEGINNING;
  const standAt = async (position: Position, recordedAt = checkpoint.recordedAt): Promise<void> => {
    if (position <= checkpoint.position) return;
    const to = { position, recordedAt, applied: position };
    await database.next.transaction((tx) => moveCheckpoint(tx, READ_MODEL, checkpoint, to));
    checkpoint = to;
  };
  return {
    position: (): Position => checkpoint.position,
    standAt,
    to: async (until: Position): Promise<PoisonEvent | undefined> => {
      if (checkpoint.position >= until) return undefined;
      const after = checkpoint.position < 0 ? null : checkpoint.position;
      for await (const batch of eventLog.readForward(after, signal)) {
        const events = batch.events.filter(({ position }) => position <= until);
        const position = earlier(batch.position, until);
        const applied = await applyBatch(database.next, streams, checkpoint, {
          ...batch,
          events,
          position,
        });
        checkpoint = applied.checkpoint;
        progress.events += applied.events;
        progress.position = checkpoint.position;
        if (applied.poison !== undefined) return applied.poison;
        if (position >= until) break;
      }
      signal.throwIfAborted();
      return undefined;
    },
  };
};
