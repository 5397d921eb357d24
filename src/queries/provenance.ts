import { type Actor, type Metadata } from '../domain/recorded.js';
import { type Position } from '../domain/position.js';

/** Who, when, from where and why, of one event. */
export type Provenance = Readonly<{
  eventId: string;
  type: string;
  revision: number;
  position: Position;
  /** RFC 3339, UTC, milliseconds. */
  recordedAt: string;
  actor: Actor;
  ip: string | null;
  userAgent: string | null;
  reason: string | null;
  commandId: string;
  requestId: string;
  correlationId: string;
  causationId: string;
}>;

/** An event, from the log or from the read model. */
export type Fact = Readonly<{
  id: string;
  type: string;
  revision: number;
  position: Position;
  recordedAt: string | Date;
  metadata: Metadata;
}>;

/** `alias` is that of audit_event in a select list; the columns make a Fact. */
export const factColumns = (alias: string): string =>
  `${alias}.event_id as id, ${alias}.type, ${alias}.revision::float8 as revision,
   ${alias}.position as position, ${alias}.recorded_at as "recordedAt", ${alias}.metadata`;

/** RFC 3339, UTC, milliseconds. */
export const timeText = (time: string | Date): string =>
  typeof time === 'string' ? time : time.toISOString();

export const provenanceOf = ({ metadata, ...fact }: Fact): Provenance => ({
  eventId: fact.id,
  type: fact.type,
  revision: fact.revision,
  position: fact.position,
  recordedAt: timeText(fact.recordedAt),
  actor: metadata.actor,
  ip: metadata.ip ?? null,
  userAgent: metadata.userAgent ?? null,
  reason: metadata.reason ?? null,
  commandId: metadata.commandId,
  requestId: metadata.requestId,
  correlationId: metadata.correlationId,
  causationId: metadata.causationId,
});
