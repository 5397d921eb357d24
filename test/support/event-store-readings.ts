import { once } from 'node:events';
import {
  BACKWARDS,
  type EventStoreDBClient,
  FORWARDS,
  START,
  END,
  StreamNotFoundError,
  streamNameFilter,
  type AllStreamRecordedEvent,
  type RecordedEvent,
  type StreamSubscription,
  type AllStreamSubscription,
} from '@eventstore/db-client';

/** What a read gave, an event a line, or the gRPC code that it failed with. */
export type Reading = readonly string[] | number;

type Seen = Readonly<{ event?: RecordedEvent | AllStreamRecordedEvent | undefined }>;

const lineOf = ({ event }: Seen): string =>
  event ? `${event.streamId}@${event.revision} ${event.id} ${event.type}` : 'nothing';

const NOT_FOUND = 5;

const codeOf = (error: unknown): number => {
  const { code } = error as { code?: unknown };
  if (error instanceof StreamNotFoundError) return NOT_FOUND;
  if (typeof code === 'number') return code;
  throw error;
};

const readingOf = async (read: AsyncIterable<Seen>): Promise<Reading> => {
  const lines: string[] = [];
  try {
    for await (const seen of read) lines.push(lineOf(seen));
  } catch (error) {
    return codeOf(error);
  }
  return lines;
};

/** What a subscription delivers until it has caught up. */
const caughtUp = async (
  subscription: StreamSubscription | AllStreamSubscription,
): Promise<Reading> => {
  const lines: string[] = [];
  subscription.on('data', (seen: Seen) => lines.push(lineOf(seen)));
  try {
    await once(subscription, 'caughtUp');
    return lines;
  } catch (error) {
    return codeOf(error);
  } finally {
    await subscription.unsubscribe();
  }
};

/** Every way to read these streams and `$all`, by name. */
export const everyReading = async (
  client: EventStoreDBClient,
  streams: readonly string[],
): Promise<Map<string, Reading>> => {
  const filter = streamNameFilter({ prefixes: [''] });
  const readings = new Map<string, Reading>([
    ['$all', await readingOf(client.readAll())],
    [
      '$all backwards',
      await readingOf(client.readAll({ direction: BACKWARDS, fromPosition: END })),
    ],
    ['$all subscribed', await caughtUp(client.subscribeToAll())],
    ['$all filtered', await caughtUp(client.subscribeToAll({ filter }))],
  ]);
  for (const stream of streams) {
    const forwards = { direction: FORWARDS, fromRevision: START } as const;
    const backwards = { direction: BACKWARDS, fromRevision: END } as const;
    const reading = await readingOf(client.readStream(stream, forwards));
    readings.set(stream, reading);
    readings.set(`${stream} backwards`, await readingOf(client.readStream(stream, backwards)));
    // A subscription waits for a stream that is not there.
    const subscribed =
      reading === NOT_FOUND ? reading : await caughtUp(client.subscribeToStream(stream));
    readings.set(`${stream} subscribed`, subscribed);
  }
  return readings;
};

const DATA_LOSS = 15;

/** Readings that are neither what is right nor DATA_LOSS; `refused` counts those that are DATA_LOSS. */
export const wrongReadings = (
  right: ReadonlyMap<string, Reading>,
  actual: ReadonlyMap<string, Reading>,
): Readonly<{ wrong: string[]; refused: number }> => {
  const wrong: string[] = [];
  let refused = 0;
  for (const [name, reading] of actual) {
    const expected = right.get(name);
    if (reading === DATA_LOSS) refused++;
    else if (JSON.stringify(reading) !== JSON.stringify(expected))
      wrong.push(
        `${name}: ${typeof reading === 'number' ? `code ${reading}` : `${reading.length} events`}`,
      );
  }
  return { wrong, refused };
};
