import { type AllStreamResolvedEvent } from '@eventstore/db-client';
import { type LogBatch, type LogEvent } from '../../projections/event-log.js';
import { type BatchQueue } from './batch-queue.js';
import { decodeRecorded } from './kurrent-decode.js';

/** What a subscription tells: an event, how far it has looked, or that nothing is left. */
export type LogEntry = Readonly<{ event: LogEvent }> | Readonly<{ position: number }> | 'caught-up';

const toBatch = (entries: readonly LogEntry[], before: number, isCaughtUp: boolean): LogBatch => {
  let position = before;
  const events: LogEvent[] = [];
  for (const entry of entries) {
    if (entry === 'caught-up') continue;
    if ('event' in entry) events.push(entry.event);
    position = Math.max(position, 'event' in entry ? entry.event.position : entry.position);
  }
  return { events, position, isCaughtUp };
};

/** What gathers in the queue, as batches of the log's port. */
export async function* batches(
  queue: BatchQueue<LogEntry>,
  after: number | null,
  { limit, atLeast }: Readonly<{ limit: number; atLeast: number }>,
): AsyncGenerator<LogBatch> {
  let position = after ?? -1;
  let isLive = false;
  for (;;) {
    const taken = await queue.take(limit, atLeast);
    if (taken === undefined) return;
    isLive ||= taken.items.includes('caught-up');
    const batch = toBatch(taken.items, position, isLive && taken.isEmpty);
    position = batch.position;
    yield batch;
  }
}

/** Moves what the stream delivers into the queue, as fast as the queue is emptied. */
export const pump = async (
  stream: AsyncIterable<AllStreamResolvedEvent>,
  queue: BatchQueue<LogEntry>,
  isWanted: (event: LogEvent) => boolean = () => true,
): Promise<void> => {
  try {
    for await (const { event, commitPosition } of stream) {
      const decoded = event && decodeRecorded(event, commitPosition);
      if (decoded !== undefined && isWanted(decoded)) await queue.put({ event: decoded });
    }
    queue.end();
  } catch (error) {
    queue.end({ error });
  }
};
