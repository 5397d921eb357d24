import {
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
} from '../../commands/event-store.js';
import { type KurrentConnection } from './kurrent-connection.js';
import { probeAppend } from './probe-append.js';
import { shownRevision } from './proven-refusal.js';

/** An answer counts for so long. */
const FRESH_MS = 1_000;

/**
 * Whether commands can be written. A leader that lost its quorum still refuses revisions, so after an append whose
 * outcome is not known that is proven only when everything in its stream is shown to readers.
 */
export const writability = (connection: KurrentConnection) => {
  /** Of the last append whose outcome is not known. */
  let doubted: string | undefined;
  let asked: Readonly<{ atMs: number; answer: Promise<void> }> | undefined;

  const ask = async (): Promise<void> => {
    const stream = doubted;
    const written = await probeAppend(connection, stream);
    if (stream === undefined) return;
    const shown = await shownRevision(connection, connection.names.inStore(stream));
    if (shown !== written)
      throw new EventStoreUnavailable('The event store holds back what it has written.');
    if (doubted === stream) doubted = undefined;
  };

  return {
    /** @throws EventStoreRefuses, EventStoreUnavailable: why they cannot be */
    ask: (): Promise<void> => {
      const now = performance.now();
      if (asked === undefined || now - asked.atMs > FRESH_MS) asked = { atMs: now, answer: ask() };
      return asked.answer;
    },
    /** A store whose appends tell, too. */
    watched: (store: EventStore): EventStore => ({
      ...store,
      append: async (stream, events, options) => {
        try {
          const appended = await store.append(stream, events, options);
          doubted = undefined;
          return appended;
        } catch (error) {
          if (error instanceof AppendOutcomeUnknown) doubted = stream;
          // What was known is out of date.
          asked = undefined;
          throw error;
        }
      },
    }),
  };
};
