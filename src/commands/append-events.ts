import { type Event } from '../domain/decider.js';
import { type Metadata } from '../domain/metadata.js';
import { eventId } from './event-id.js';
import { type EventStore } from './event-store.js';

export type AppendRequest<E extends Event> = Readonly<{
  stream: string;
  events: readonly E[];
  expectedRevision: number;
  metadata: Metadata;
  /** Tells several appends of one command to one stream apart. @defaultValue 0 */
  firstIndex?: number;
  /** After this the append is not begun any more. */
  signal?: AbortSignal;
}>;

/** Where the last event is now. */
export type Appended = Awaited<ReturnType<EventStore['append']>> & Readonly<{ eventId: string }>;

/**
 * Appends events with ids that follow from the command: the only code that writes to the log.
 * @throws WrongRevision, CommandNotStarted, EventStoreUnavailable, AppendOutcomeUnknown
 */
export const appendEvents = async <E extends Event>(
  store: EventStore,
  { stream, events, expectedRevision, metadata, firstIndex = 0, signal }: AppendRequest<E>,
): Promise<Appended> => {
  const identified = events.map((event, index) => ({
    ...event,
    id: eventId(stream, metadata.commandId, firstIndex + index),
  }));
  const written = await store.append(stream, identified, {
    expectedRevision,
    metadata,
    ...(signal && { signal }),
  });
  return { ...written, eventId: identified.at(-1)?.id ?? '' };
};
