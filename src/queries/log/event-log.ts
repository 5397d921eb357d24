import { type Event } from '../../domain/decider.js';
import { type Recorded } from '../../domain/recorded.js';

/** What replaying needs of the event store: a stream page by page, oldest event first, empty when there is none. */
export type EventLog = Readonly<{
  readPage: <E extends Event>(
    stream: string,
    fromRevision: number,
  ) => Promise<Readonly<{ events: readonly Recorded<E>[]; revision: number; isEnd: boolean }>>;
}>;
