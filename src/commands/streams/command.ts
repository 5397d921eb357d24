import { type Command, type Decider, type Event } from '../../domain/decider.js';
import { type Grants } from '../../domain/access/grants.js';
import { type Metadata } from '../../domain/recorded.js';
import { type Position } from '../../domain/position.js';
import { type Segment } from '../../domain/segment.js';
import { type Aggregates } from './aggregates.js';
import { type EventStore } from './event-store.js';

export type CommandRequest<C extends Command> = Readonly<{
  command: C;
  metadata: Metadata;
  /** What the sender may do. */
  grants: Grants;
  /** From If-Match: the caller's decision was made on this revision. */
  expectedRevision?: number;
  dryRun?: boolean;
  /** No request before this one had its command id: the service made it up. */
  isNew?: boolean;
  /** In a dry run: segments, by key, as commands before it would have left them. */
  assumedSegments?: ReadonlyMap<string, Segment>;
  /** After this the command is not started any more. */
  signal: AbortSignal;
  /** Called before the append when it is a large one: the time until `signal` aborts begins anew, and is longer. */
  isLarge?: () => void;
}>;

export type CommandOutcome<S, E extends Event> = Readonly<{
  /** `repeated`: an earlier request with this command id wrote these events. */
  kind: 'recorded' | 'unchanged' | 'repeated' | 'dry-run';
  /** It is certain that no other request wrote these events. */
  isFirst?: boolean;
  /** Found in the log after an append of this very request that was not confirmed. */
  isOwnTry?: boolean;
  revision: number;
  position: Position;
  events: readonly E[];
  before: S;
  after: S;
}>;

/** Handles the commands of one kind of stream. */
export type Handle<S, C extends Command, E extends Event> = (
  request: CommandRequest<C>,
) => Promise<CommandOutcome<S, E>>;

export type HandlerDeps<S, C extends Command, E extends Event, R> = Readonly<{
  store: EventStore;
  decider: Decider<S, C, E, R>;
  streamOf: (command: C) => string;
  /** Whether a command is only possible on a stream without events: it is tried without reading one. */
  begins?: (command: C) => boolean;
  streams: Aggregates<S>;
  /** What the decision must know of other streams; `fresh` when a stale view could make it refuse wrongly. */
  referencesOf: (command: C, fresh: boolean) => Promise<R>;
  /**
   * Before the append, also of a dry run: makes sure of what the outcome needs of other streams, and that they keep it.
   * @throws DomainError when it cannot be had
   */
  reserve?: (
    request: CommandRequest<C>,
    outcome: CommandOutcome<S, E>,
    references: R,
  ) => Promise<void>;
  /** Monotonic milliseconds. */
  clock: () => number;
  /** Waits. */
  pause: (ms: number) => Promise<void>;
}>;
