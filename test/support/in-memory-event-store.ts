import {
  type EventStore,
  NO_STREAM,
  type StreamSlice,
  WrongRevision,
} from '../../src/commands/streams/event-store.js';
import { type Event } from '../../src/domain/decider.js';
import { type Recorded } from '../../src/domain/recorded.js';

/** The EventStore port in memory; passes test/contract/event-store.ts like the real adapter. */
export const inMemoryEventStore = (pageSize = 1000): EventStore => {
  const streams = new Map<string, Recorded[]>();
  let position = 0;

  return {
    read: async <E extends Event>(stream: string, fromRevision = 0): Promise<StreamSlice<E>> => {
      const events = (streams.get(stream) ?? []).slice(fromRevision) as Recorded<E>[];
      return { events, revision: events.at(-1)?.revision ?? fromRevision - 1 };
    },

    readPage: async <E extends Event>(stream: string, fromRevision: number) => {
      const stored = streams.get(stream) ?? [];
      const events = stored.slice(fromRevision, fromRevision + pageSize) as Recorded<E>[];
      const revision = events.at(-1)?.revision ?? fromRevision - 1;
      return { events, revision, isEnd: revision >= stored.length - 1 };
    },

    append: async (stream, events, { expectedRevision, metadata }) => {
      const stored = streams.get(stream) ?? [];
      const revision = stored.length - 1;
      if (expectedRevision !== revision) {
        const repeated = stored.slice(expectedRevision + 1, expectedRevision + 1 + events.length);
        const isRepeat =
          expectedRevision < revision &&
          events.every(({ id }, index) => repeated[index]?.id === id);
        const last = repeated.at(-1);
        if (!isRepeat || last === undefined) throw new WrongRevision(expectedRevision, revision);
        return { revision: last.revision, position: last.position };
      }
      for (const event of events) {
        position += 1;
        stored.push({
          ...event,
          stream,
          revision: stored.length,
          position,
          recordedAt: new Date(Date.UTC(2026, 0, 1) + position * 1000).toISOString(),
          metadata,
        });
      }
      streams.set(stream, stored);
      return { revision: stored.length + NO_STREAM, position };
    },
  };
};
