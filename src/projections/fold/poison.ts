import { type LogEvent } from '../event-log.js';

/** Where and why a projection stopped: all that an operator needs to find the event. */
export type Poison = Readonly<{
  projection: string;
  position: number;
  stream: string;
  revision: number;
  type: string;
  error: string;
}>;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** An event that cannot be applied, now or on any retry. It is never skipped: its projection stops in front of it. */
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

/** The log delivered an event behind one that it delivered before. Nothing of such a batch is applied. */
export class OutOfOrder extends Error {
  override readonly name = 'OutOfOrder';
  constructor(position: number, previous: number) {
    super(`The log delivered position ${position} after ${previous}.`);
  }
}
