import { type Position } from '../../domain/position.js';
import { type LogEvent } from '../event-log.js';
import { type TrackedParked } from './tracked.js';

/** Where and why a projection stopped: all that an operator needs to find the event. */
export type Poison = Readonly<{
  projection: string;
  position: Position;
  stream: string;
  revision: number;
  type: string;
  error: string;
}>;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** An event that cannot even be parked, now or on any retry: its projection stops in front of it. */
export class PoisonEvent extends Error {
  override readonly name = 'PoisonEvent';
  readonly event: LogEvent;
  constructor(event: LogEvent, cause: unknown) {
    super(messageOf(cause), { cause });
    this.event = event;
  }
}

export const poisonOf = (projection: string, { event, message }: PoisonEvent): Poison => ({
  projection,
  position: event.position,
  stream: event.stream,
  revision: event.revision,
  type: event.type,
  error: message,
});

/** A stream that stands still in front of an event that cannot be applied, and how much waits behind it. */
export type Parked = Readonly<{
  stream: string;
  revision: number;
  position: Position;
  type: string;
  error: string;
  waiting: number;
}>;

export const parkedOf = (stream: string, { since, waiting }: TrackedParked): Parked => {
  const { revision, position, type, error } = since;
  return { stream, revision, position, type, error, waiting };
};

/** The log delivered an event behind one that it delivered before. Nothing of such a batch is applied. */
export class OutOfOrder extends Error {
  override readonly name = 'OutOfOrder';
  constructor(position: Position, previous: Position) {
    super(`The log delivered position ${position} after ${previous}.`);
  }
}
