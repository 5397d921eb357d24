import {
  FORWARDS,
  type ResolvedEvent,
  type StreamingRead,
  StreamDeletedError,
  StreamNotFoundError,
} from '@eventstore/db-client';
import { type StreamPage } from '../../commands/event-store.js';
import { type Event } from '../../domain/decider.js';
import { sizeOf } from '../../domain/json.js';
import { type Recorded } from '../../domain/recorded.js';
import { silenceWatch } from '../deadline.js';
import { type Lease, tieToLease } from './held-client.js';
import { decodeRecorded, foreignKind, revisionIn } from './kurrent-decode.js';

/** Events of one page. */
const MOST_EVENTS = 1000;

/** Characters of JSON of one page, about; the event that reaches it is the last. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** A large event takes its time on a slow line; that the server answers is known by the one before. */
const NEXT_EVENT_MS = 5_000;

const stop = (reading: StreamingRead<ResolvedEvent>): void => {
  // What comes when nobody reads any more is no error.
  reading.on('error', () => undefined);
  void reading.cancel().catch(() => undefined);
  reading.destroy();
};

type Collected<E extends Event> = {
  events: Recorded<E>[];
  last: number | undefined;
  isFull: boolean;
};

/**
 * Takes events until the page is full, or there are no more. `last` is the revision of the last one; an event of
 * another application in a stream of ours has a revision, too, and is passed by.
 */
const collect = async <E extends Event>(
  reading: StreamingRead<ResolvedEvent>,
  stream: string,
  onEvent: () => void,
): Promise<Collected<E>> => {
  const events: Recorded<E>[] = [];
  let [size, count] = [0, 0];
  let last: number | undefined;
  try {
    for await (const { event } of reading) {
      onEvent();
      count += 1;
      if (event === undefined) continue;
      last = revisionIn(event.revision);
      if (foreignKind(event, stream) === undefined) events.push(decodeRecorded<E>(event, stream));
      size += sizeOf(event.data);
      if (size >= MOST_CHARACTERS) return { events, last, isFull: true };
    }
  } catch (error) {
    // Deleted in the store by somebody: there is nothing of it to read.
    if (!(error instanceof StreamNotFoundError || error instanceof StreamDeletedError)) throw error;
  }
  return { events, last, isFull: count >= MOST_EVENTS };
};

/** Which page: `stream` is what we call it, `name` what the store does. */
type Asked = Readonly<{ stream: string; name: string; fromRevision: number }>;

/**
 * The next events of a stream. However long it takes, it goes on while events arrive.
 * @throws what `toError` makes when none came within `silenceMs`, or none came after one
 */
export const readStreamPage = async <E extends Event>(
  lease: Lease,
  { stream, name, fromRevision }: Asked,
  silenceMs: number,
  toError: () => Error,
): Promise<StreamPage<E>> => {
  const reading = lease.client.readStream(name, {
    direction: FORWARDS,
    fromRevision: BigInt(fromRevision),
    maxCount: MOST_EVENTS,
  });
  reading.on('error', lease.failed);
  tieToLease(reading, lease);
  const watch = silenceWatch(silenceMs, () => reading.destroy(toError()));
  try {
    const { events, last, isFull } = await collect<E>(reading, stream, () => {
      lease.heard();
      watch.heard(NEXT_EVENT_MS);
    });
    return { events, revision: last ?? fromRevision - 1, isEnd: !isFull };
  } finally {
    watch.stop();
    stop(reading);
  }
};
