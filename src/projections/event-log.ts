import { type Position } from '../domain/position.js';
import { type Metadata, type Recorded } from '../domain/recorded.js';

/**
 * An event as the log delivers it: nothing about its type, data or metadata has been checked, so that an event
 * this version cannot understand is still delivered, with its place. Every Recorded event is one.
 */
export type LogEvent = Omit<Recorded, 'metadata'> &
  Readonly<{
    metadata: Metadata | undefined;
    /**
     * Set where revisions are left out in front of it: every one after this is an event of another application, which
     * a read of the stream has shown.
     */
    follows?: number;
  }>;

export type LogBatch = Readonly<{
  /** Ours, in log order. May be empty: only the position moved, or the end of the log was reached. */
  events: readonly LogEvent[];
  /** The last log position considered, where it is certain that nothing of ours up to it is still to come; -1: none. */
  position: Position;
  /** True when nothing was left in the log as this batch was taken. */
  isCaughtUp: boolean;
}>;

/** Port to the log as one order. `after` is exclusive; null is the beginning. */
export type EventLog = Readonly<{
  /** Follows the log for ever; ends on abort, throws when the connection is lost. Never resubscribes. */
  subscribe: (after: Position | null, signal: AbortSignal) => AsyncIterable<LogBatch>;
  /** Reads on to where the log ends now. */
  readForward: (after: Position | null, signal: AbortSignal) => AsyncIterable<LogBatch>;
  /**
   * Our events of one stream from a revision on, as far as they go now; none when there is no such stream. They say
   * what they follow where events of others lie in front of them.
   */
  readStream: (
    stream: string,
    fromRevision: number,
    signal: AbortSignal,
  ) => AsyncIterable<LogEvent>;
  /** Whether somebody deleted the stream for good in the store: nothing of it can be read, or written, any more. */
  isDeleted: (stream: string) => Promise<boolean>;
  /** The position of the last event of the log, ours or not; -1 when it is empty. */
  head: () => Promise<Position>;
}>;
