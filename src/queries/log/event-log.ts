import { type Event } from '../../domain/decider.js';
import { type Recorded } from '../../domain/recorded.js';

/** What replaying needs of the event store: a whole stream, oldest event first, empty when there is none. */
export type EventLog = Readonly<{
  read: <E extends Event>(stream: string) => Promise<Readonly<{ events: readonly Recorded<E>[] }>>;
}>;
