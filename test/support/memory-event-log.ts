import { later, type Position } from '../../src/domain/position.js';
import { type EventLog, type LogBatch, type LogEvent } from '../../src/projections/event-log.js';

type Options = Readonly<{
  /** Events of one batch at most. */
  batchSize?: number;
  /** Changes what is delivered, for faults: duplicates, disorder. */
  deliver?: (events: readonly LogEvent[]) => readonly LogEvent[];
}>;

/** A log in memory that can grow, and whose subscriptions can be broken. */
export const memoryEventLog = (
  events: readonly LogEvent[] = [],
  { batchSize = 500, deliver = (all) => all }: Options = {},
) => {
  const log: LogEvent[] = [...events];
  const waiting = new Set<() => void>();
  let breaks = 0;
  const wake = (): void => {
    for (const go of waiting) go();
    waiting.clear();
  };
  /** Resolves at once when something came while nobody waited. */
  const news = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      if (isThere()) resolve();
      else waiting.add(resolve);
    });
  const after = (position: Position): readonly LogEvent[] =>
    deliver(log.filter((event) => event.position > position));

  async function* readForward(from: Position | null): AsyncGenerator<LogBatch> {
    const all = after(from ?? -1);
    for (let start = 0; start < all.length; start += batchSize) {
      const batch = all.slice(start, start + batchSize);
      const position = batch.map((event) => event.position).reduce(later);
      yield { events: batch, position, isCaughtUp: start + batchSize >= all.length };
    }
  }
  async function* subscribe(from: Position | null, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const began = breaks;
    signal.addEventListener('abort', wake, { once: true });
    let position: Position = from ?? -1;
    while (!signal.aborted) {
      for await (const batch of readForward(position)) {
        yield batch;
        if (breaks !== began) throw new Error('The subscription broke.');
        position = later(position, batch.position);
      }
      if (after(position).length > 0) continue;
      yield { events: [], position, isCaughtUp: true };
      const seen = position;
      await news(() => signal.aborted || breaks !== began || after(seen).length > 0);
      if (breaks !== began) throw new Error('The subscription broke.');
    }
  }
  const port: EventLog = {
    subscribe,
    readForward,
    readStream: async function* (stream, fromRevision) {
      yield* log.filter((event) => event.stream === stream && event.revision >= fromRevision);
    },
    isDeleted: async () => false,
    head: async () => log.at(-1)?.position ?? -1,
  };
  return {
    ...port,
    append: (...more: readonly LogEvent[]): void => {
      log.push(...more);
      wake();
    },
    breakSubscriptions: (): void => {
      breaks += 1;
      wake();
    },
  };
};

export type MemoryEventLog = ReturnType<typeof memoryEventLog>;
