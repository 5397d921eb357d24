import { type LogBatch, type LogEvent } from './event-log.js';

const isContinued = (event: LogEvent | undefined): boolean => event?.metadata?.isContinued === true;

/** Where the append begins that the last event leaves open; the number of events when it leaves none open. */
const openFrom = (events: readonly LogEvent[]): number => {
  if (!isContinued(events.at(-1))) return events.length;
  let begin = events.length - 1;
  while (isContinued(events[begin - 1]) && events[begin - 1]?.stream === events[begin]?.stream)
    begin -= 1;
  return begin;
};

/**
 * Moves the ends of batches to where appends end, so that whoever applies them shows all of a command's events at once or
 * none. The store takes an append whole, so its end always comes.
 */
export async function* wholeAppends(batches: AsyncIterable<LogBatch>): AsyncGenerator<LogBatch> {
  let held: readonly LogEvent[] = [];
  for await (const batch of batches) {
    const events = held.length === 0 ? batch.events : [...held, ...batch.events];
    const end = openFrom(events);
    held = events.slice(end);
    if (held.length === 0) yield { ...batch, events };
    else if (end > 0)
      yield {
        events: events.slice(0, end),
        position: events[end - 1]?.position ?? -1,
        isCaughtUp: false,
      };
  }
}
