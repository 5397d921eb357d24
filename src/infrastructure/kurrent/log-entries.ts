import { type AllStreamResolvedEvent, type RecordedEvent } from '@eventstore/db-client';
import { LAST_POSITION, later, type Position, toPosition } from '../../domain/position.js';
import { type LogBatch, type LogEvent } from '../../projections/event-log.js';
import { type BatchQueue } from './batch-queue.js';

/** What a subscription tells: an event, how far it has looked, or that nothing is left. */
export type LogEntry =
  Readonly<{ event: LogEvent }> | Readonly<{ checkpoint: bigint }> | 'caught-up';

/**
 * How far a subscription has come. What the server tells as a checkpoint counts only when it tells a later one, with
 * no event at the first in between: some released servers tell the place of the event that comes next, others one
 * beyond all places, and whoever resumes there never gets what is in front of it.
 */
const progress = (start: Position) => {
  let position = start;
  let told: bigint | undefined;
  return {
    position: (): Position => position,
    delivered: (event: LogEvent): void => {
      told = undefined;
      position = later(position, event.position);
    },
    told: (checkpoint: bigint): void => {
      if (checkpoint > LAST_POSITION) return;
      if (told !== undefined && checkpoint > told) position = later(position, toPosition(told));
      told = checkpoint;
    },
  };
};

/** What gathers in the queue, as batches of the log's port. */
export async function* batches(
  queue: BatchQueue<LogEntry>,
  after: Position | null,
  { limit, atLeast }: Readonly<{ limit: number; atLeast: number }>,
): AsyncGenerator<LogBatch> {
  const { position, delivered, told } = progress(after ?? -1);
  const phase = { isLive: false };
  const sort = (items: readonly LogEntry[]) => {
    const events: LogEvent[] = [];
    for (const entry of items) {
      if (entry === 'caught-up') phase.isLive = true;
      else if ('checkpoint' in entry) told(entry.checkpoint);
      else {
        events.push(entry.event);
        delivered(entry.event);
      }
    }
    return events;
  };
  for (;;) {
    const taken = await queue.take(limit, atLeast);
    if (taken === undefined) return;
    const events = sort(taken.items);
    yield { events, position: position(), isCaughtUp: phase.isLive && taken.isEmpty };
  }
}

/** Moves what the stream delivers into the queue, as fast as the queue is emptied. `heard`: called for every event. */
export const pump = async (
  stream: AsyncIterable<AllStreamResolvedEvent>,
  queue: BatchQueue<LogEntry>,
  heard: () => void,
  entryOf: (event: RecordedEvent) => LogEntry | undefined,
): Promise<void> => {
  try {
    for await (const { event } of stream) {
      heard();
      const entry = event && entryOf(event);
      if (entry !== undefined) await queue.put(entry);
    }
    queue.end();
  } catch (error) {
    queue.end({ error });
  }
};
