import { parseStream } from '../domain/streams.js';
import { type EventLog, type LogEvent } from './event-log.js';
import { type Tracked } from './fold/tracked.js';

type Log = Pick<EventLog, 'readStream'>;

/** The event as its stream tells it, read from behind `last` on, when it is the first of ours there. */
const readAgain = async ({ readStream }: Log, known: LogEvent, last: number): Promise<LogEvent> => {
  const stopping = new AbortController();
  try {
    for await (const { position, follows } of readStream(known.stream, last + 1, stopping.signal))
      return position === known.position && follows !== undefined ? { ...known, follows } : known;
    return known;
  } finally {
    stopping.abort();
  }
};

const isBehindGap = ({ stream, revision, follows = revision - 1 }: LogEvent, last: number) =>
  follows > last && parseStream(stream) !== undefined;

/**
 * Events of others inside a stream of ours leave a gap in its revisions. Only where there is one, the stream is read from
 * our last event on, and the event behind the gap says what it follows when nothing of ours lies between. So an event of
 * ours that was not delivered is still missed.
 */
export const acrossForeign = async (
  log: Log,
  events: readonly LogEvent[],
  lookUp: (stream: string) => Tracked | undefined,
): Promise<readonly LogEvent[]> => {
  const latest = new Map<string, number>();
  const known: LogEvent[] = [];
  for (const event of events) {
    const { stream, revision } = event;
    const last = latest.get(stream) ?? lookUp(stream)?.revision ?? -1;
    latest.set(stream, revision);
    known.push(isBehindGap(event, last) ? await readAgain(log, event, last) : event);
  }
  return known;
};
