import { type Event } from './decider.js';
import { type Metadata } from './metadata.js';
import { type Position } from './position.js';

/** An event as the log has it. */
export type Recorded<E extends Event = Event> = E &
  Readonly<{
    /** UUID, unique in its stream. */
    id: string;
    stream: string;
    /** Place in the stream, from 0. */
    revision: number;
    /** Place in the whole log; strictly increasing, below 2^53. */
    position: Position;
    /** RFC 3339, UTC, milliseconds; never earlier than that of an earlier position. */
    recordedAt: string;
    metadata: Metadata;
  }>;
