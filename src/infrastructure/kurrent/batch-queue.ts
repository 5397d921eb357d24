/** What `take` gives: everything that arrived since the last one, up to a limit. */
export type Taken<T> = Readonly<{ items: readonly T[]; isEmpty: boolean }>;

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
