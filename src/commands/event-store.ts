import { type Event } from '../domain/decider.js';
import { type Metadata } from '../domain/metadata.js';
import { type Recorded } from '../domain/recorded.js';

/** The revision of a stream that has no events. */
export const NO_STREAM = -1;

/** What a stream holds from a revision on, oldest first; `revision` is its last, or NO_STREAM. */
export type StreamSlice<E extends Event> = Readonly<{
  events: readonly Recorded<E>[];
  revision: number;
}>;

export type NewEvent<E extends Event> = E & Readonly<{ id: string }>;

/** Port to the log. */
export type EventStore = Readonly<{
  /** @throws EventStoreUnavailable */
  read: <E extends Event>(stream: string, fromRevision?: number) => Promise<StreamSlice<E>>;
  /**
   * All events or none. A repeat of the same ids at the same expected revision succeeds and writes nothing.
   * @throws WrongRevision when the stream stands elsewhere
   * @throws EventStoreUnavailable when nothing was written
   * @throws AppendOutcomeUnknown when it may have been written: read the stream, or repeat with the same ids
   */
  append: <E extends Event>(
    stream: string,
    events: readonly NewEvent<E>[],
    options: Readonly<{ expectedRevision: number; metadata: Metadata }>,
  ) => Promise<Readonly<{ revision: number; position: number; recordedAt?: string }>>;
}>;

/** The stream is not at the revision that was expected. */
export class WrongRevision extends Error {
  override readonly name = 'WrongRevision';
  readonly expected: number;
  readonly actual: number;
  constructor(expected: number, actual: number) {
    super(`Expected revision ${expected}, but the stream is at ${actual}.`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** The event store cannot be reached or does not answer in time; nothing was written. */
export class EventStoreUnavailable extends Error {
  override readonly name = 'EventStoreUnavailable';
}

/** No answer to an append came in time: it may or may not be in the log. */
export class AppendOutcomeUnknown extends Error {
  override readonly name = 'AppendOutcomeUnknown';
}
