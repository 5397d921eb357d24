import { type AllStreamResolvedEvent, type RecordedEvent } from '@eventstore/db-client';
import { LAST_POSITION, later, type Position, toPosition } from '../../domain/position.js';
import { type LogBatch, type LogEvent } from '../../projections/event-log.js';

/** What `take` gives: everything that arrived since the last one, up to a limit. */
type Taken<T> = Readonly<{ items: readonly T[]; isEmpty: boolean }>;

/**
 * Between one producer and one consumer: the consumer takes what has gathered, the producer waits while it is full.
 * Ends with what the producer ends with, after all that was put before.
 */
export const batchQueue = <T>(capacity: number) => {
  let items: T[] = [];
  let end: { error?: unknown } | undefined;
  let wakeConsumer = (): void => undefined;
  let wakeProducer = (): void => undefined;

  return {
    /** Resolves at once while there is room, else when the consumer has taken something. */
    put: async (item: T): Promise<void> => {
      items.push(item);
      wakeConsumer();
      while (items.length >= capacity && end === undefined)
        await new Promise<void>((resolve) => (wakeProducer = resolve));
    },
    /** Adds without waiting: for marks between items. */
    mark: (item: T): void => {
      items.push(item);
      wakeConsumer();
    },
    end: (outcome: { error?: unknown } = {}): void => {
      end ??= outcome;
      wakeConsumer();
      wakeProducer();
    },
    /** Waits for so many items, or the end. Undefined after the end. @throws the error that it ended with */
    take: async (limit: number, atLeast = 1): Promise<Taken<T> | undefined> => {
      while (items.length < atLeast && end === undefined)
        await new Promise<void>((resolve) => (wakeConsumer = resolve));
      if (items.length === 0) {
        if (end !== undefined && 'error' in end) throw end.error;
        return undefined;
      }
      const taken = items.slice(0, limit);
      items = items.slice(limit);
      wakeProducer();
      return { items: taken, isEmpty: items.length === 0 };
    },
  };
};

export type BatchQueue<T> = ReturnType<typeof batchQueue<T>>;

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
