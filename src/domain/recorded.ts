import { type Event } from './decider.js';
import { type Position } from './position.js';

/** Who did it. `system` is the service itself (first start, migrations, jobs). */
export type Actor = Readonly<{
  id: string;
  type: 'user' | 'apiKey' | 'system';
  /** How the actor proved who it is: `admin-credential`, `none`, later `password`, `oidc`, … */
  authMethod: string;
}>;

/** Written next to every event: who, why, from where, and what it belongs to. */
export type Metadata = Readonly<{
  actor: Actor;
  /** The Idempotency-Key when one was given, else random. Event ids are derived from it. */
  commandId: string;
  /** SHA-256 (hex) of the command: tells a retry from the same key used for something else. */
  commandHash: string;
  correlationId: string;
  causationId: string;
  requestId: string;
  ip?: string;
  userAgent?: string;
  /** The admin's own comment. */
  reason?: string;
  /** The next event of the stream was appended together with this one. */
  isContinued?: true;
  schemaVersion: number;
}>;

/** Who a request is by, when nothing has proven it. */
export const ANONYMOUS: Actor = { id: 'anonymous', type: 'system', authMethod: 'none' };

/** The version of the stored shapes that this code writes; higher ones are not understood. */
export const SCHEMA_VERSION = 1;

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
