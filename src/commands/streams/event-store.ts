import { createHash } from 'node:crypto';
import { type Event } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type Metadata, type Recorded, SCHEMA_VERSION } from '../../domain/recorded.js';

/** UUID (version 8, RFC 9562) of the index-th event of a command on a stream: the same on every retry. */
export const eventId = (stream: string, commandId: string, index: number): string => {
  const hex = createHash('sha256').update(`${stream}\n${commandId}\n${index}`).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
};

/** SHA-256 (hex) of a command's canonical text. */
export const commandHashOf = (canonicalCommand: string): string =>
  createHash('sha256').update(canonicalCommand).digest('hex');

/** Metadata of a command that the service gives itself; `commandId` is a new UUID. */
export const bySystem = (commandId: string, reason?: string): Metadata => ({
  actor: { id: 'chronoflag', type: 'system', authMethod: 'none' },
  commandId,
  commandHash: commandHashOf(commandId),
  correlationId: commandId,
  causationId: commandId,
  requestId: commandId,
  ...(reason !== undefined && { reason }),
  schemaVersion: SCHEMA_VERSION,
});

/** The revision of a stream that has no events. */
export const NO_STREAM = -1;

/**
 * What a stream holds of ours from a revision on, oldest first. `revision` is where the stream stands, or NO_STREAM: its
 * last event may be another application's.
 */
export type StreamSlice<E extends Event> = Readonly<{
  events: readonly Recorded<E>[];
  revision: number;
}>;

/**
 * A part of a stream. `isEnd`: nothing came after it when it was read. `skipped`: how many events of the whole stream are
 * known to be skipped.
 */
export type StreamPage<E extends Event> = StreamSlice<E> &
  Readonly<{ isEnd: boolean; skipped?: number }>;

export type NewEvent<E extends Event> = E & Readonly<{ id: string }>;

export type AppendOptions = Readonly<{
  expectedRevision: number;
  metadata: Metadata;
  signal?: AbortSignal;
}>;

/** Port to the log. */
export type EventStore = Readonly<{
  /** A whole stream, however long. @throws EventStoreUnavailable */
  read: <E extends Event>(stream: string, fromRevision?: number) => Promise<StreamSlice<E>>;
  /** The next events, a few MiB of them at most: who reads page by page holds no more. @throws EventStoreUnavailable */
  readPage: <E extends Event>(stream: string, fromRevision: number) => Promise<StreamPage<E>>;
  /**
   * All events or none. A repeat of the same ids at the same expected revision succeeds and writes nothing.
   * After `signal` aborts it is not begun any more.
   * @throws WrongRevision when the stream stands elsewhere, which a read shows
   * @throws EventStoreRefuses when a right or the login is missing; nothing was written
   * @throws CommandNotStarted, EventStoreUnavailable when nothing was written
   * @throws AppendOutcomeUnknown when it may have been written: read the stream, or repeat with the same ids
   */
  append: <E extends Event>(
    stream: string,
    events: readonly NewEvent<E>[],
    options: AppendOptions,
  ) => Promise<Readonly<{ revision: number; position: Position; recordedAt?: string }>>;
}>;

/** The stream is not at the revision that was expected. `actual`: where it stands. */
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

/** Our last event of the stream is not the one that the caller's decision was made on. */
export class StaleDecision extends WrongRevision {}

/** Every page of a stream, put together. */
export const wholeStream = async <E extends Event>(
  { readPage }: Pick<EventStore, 'readPage'>,
  stream: string,
  fromRevision = 0,
): Promise<StreamSlice<E>> => {
  const events: Recorded<E>[] = [];
  for (let revision = fromRevision - 1; ;) {
    const page = await readPage<E>(stream, revision + 1);
    for (const event of page.events) events.push(event);
    revision = page.revision;
    if (page.isEnd) return { events, revision };
  }
};

/** The event store cannot be reached or does not answer in time; nothing was written. */
export class EventStoreUnavailable extends Error {
  override readonly name = 'EventStoreUnavailable';
}

/**
 * The event store refuses what this service asks: a right or a login is missing. Nothing was written, and nothing will
 * be before somebody puts it right there.
 */
export class EventStoreRefuses extends Error {
  override readonly name = 'EventStoreRefuses';
}

/** No answer to an append came in time: it may or may not be in the log. */
export class AppendOutcomeUnknown extends Error {
  override readonly name = 'AppendOutcomeUnknown';
}

/** The time of a command was over before its append began: nothing was written. What was read for it is kept. */
export class CommandNotStarted extends Error {
  override readonly name = 'CommandNotStarted';
}

/** What `work` gives, unless the signal aborts first; the work itself goes on. @throws CommandNotStarted */
export const beforeAbort = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  let refuse = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    refuse = () => {
      reject(new CommandNotStarted('What the command needs is still being read; it is kept.'));
    };
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', refuse);
  }
};

type AppendRequest<E extends Event> = Readonly<{
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
type Appended = Awaited<ReturnType<EventStore['append']>> & Readonly<{ eventId: string }>;

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
