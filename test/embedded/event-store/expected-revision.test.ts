import {
  ANY,
  NO_STREAM,
  STREAM_EXISTS,
  type AppendExpectedRevision,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import { test } from 'tap';
import { event, events, rejection, startStore } from '../../support/event-store.js';

/** How a stream can be when the append arrives. */
const SITUATIONS = {
  'a missing stream': async () => undefined,
  'a stream of three events': async (client, stream) => {
    await client.appendToStream(stream, events('Old', 3));
  },
  'a stream with metadata alone': async (client, stream) => {
    await client.setStreamMetadata(stream, { maxCount: 10 });
  },
  'a soft-deleted stream of three events': async (client, stream) => {
    await client.appendToStream(stream, events('Old', 3));
    await client.deleteStream(stream);
  },
  'a tombstoned stream': async (client, stream) => {
    await client.appendToStream(stream, events('Old', 3));
    await client.tombstoneStream(stream);
  },
} satisfies Record<string, (client: EventStoreDBClient, stream: string) => Promise<void>>;

type Outcome = bigint | 'wrong, no stream' | `wrong, ${number}` | 'stream-deleted' | 'unknown';
type Row = readonly [AppendExpectedRevision, Outcome];

/** The revision a new event gets, or how it is refused; section 3.1 of the protocol notes. */
const TABLE: Record<keyof typeof SITUATIONS, readonly Row[]> = {
  'a missing stream': [
    [ANY, 0n],
    [NO_STREAM, 0n],
    [STREAM_EXISTS, 'wrong, no stream'],
    [0n, 'wrong, no stream'],
    [7n, 'wrong, no stream'],
  ],
  'a stream of three events': [
    [ANY, 3n],
    [NO_STREAM, 'wrong, 2'],
    [STREAM_EXISTS, 3n],
    [0n, 'wrong, 2'],
    [1n, 'wrong, 2'],
    [2n, 3n],
    [3n, 'wrong, 2'],
    [2n ** 63n, 'unknown'],
  ],
  'a stream with metadata alone': [
    [ANY, 0n],
    [NO_STREAM, 0n],
    [STREAM_EXISTS, 0n],
    [0n, 'wrong, no stream'],
  ],
  'a soft-deleted stream of three events': [
    [ANY, 3n],
    [NO_STREAM, 3n],
    [STREAM_EXISTS, 'stream-deleted'],
    [1n, 'wrong, 2'],
    [2n, 3n],
    [3n, 'wrong, 2'],
  ],
  'a tombstoned stream': [
    [ANY, 'stream-deleted'],
    [NO_STREAM, 'stream-deleted'],
    [STREAM_EXISTS, 'stream-deleted'],
    [2n, 'stream-deleted'],
  ],
};

const outcomeOf = async (append: () => Promise<{ nextExpectedRevision: bigint }>) => {
  try {
    const { nextExpectedRevision } = await append();
    return nextExpectedRevision;
  } catch (error) {
    const { type, actualVersion } = error as { type: string; actualVersion: unknown };
    if (type !== 'wrong-expected-version') return type;
    return `wrong, ${actualVersion === 'no_stream' ? 'no stream' : String(actualVersion)}`;
  }
};

const WAYS = {
  'batch append': {},
  'classic append': { credentials: { username: 'someone', password: 'ignored' } },
};

for (const [way, options] of Object.entries(WAYS))
  test(`${way} answers every expected revision in every situation`, async (t) => {
    const { client } = await startStore(t);
    for (const [situation, rows] of Object.entries(TABLE))
      for (const [index, [expectedRevision, outcome]] of rows.entries()) {
        const stream = `${situation.replaceAll(' ', '_')}-${index}`;
        await SITUATIONS[situation as keyof typeof SITUATIONS](client, stream);
        t.equal(
          await outcomeOf(() =>
            client.appendToStream(stream, event('New'), { expectedRevision, ...options }),
          ),
          outcome,
          `${String(expectedRevision)} on ${situation}`,
        );
      }
  });

for (const [way, options] of Object.entries(WAYS))
  test(`${way} names what was expected and what is there`, async (t) => {
    const { client } = await startStore(t);
    await client.appendToStream('flag-a', events('Old', 2));
    for (const expectedRevision of [NO_STREAM, 5n] as const) {
      const error = await rejection(
        client.appendToStream('flag-a', event('New'), { expectedRevision, ...options }),
      );
      t.match(error, {
        type: 'wrong-expected-version',
        streamName: 'flag-a',
        expectedVersion: expectedRevision,
        actualVersion: 1n,
      });
    }
    const error = await rejection(
      client.appendToStream('flag-b', event('New'), {
        expectedRevision: STREAM_EXISTS,
        ...options,
      }),
    );
    t.match(error, { expectedVersion: STREAM_EXISTS, actualVersion: NO_STREAM });
  });

test('of concurrent appends with the same expected revision exactly one stands', async (t) => {
  const { client } = await startStore(t);
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) =>
      client.appendToStream('flag-race', event('New', n), { expectedRevision: NO_STREAM }),
    ),
  );
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('an append of no events changes nothing', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('flag-a', events('Old', 2));
  const { nextExpectedRevision } = await client.appendToStream('flag-a', []);
  t.equal(nextExpectedRevision, 1n);
  const error = await rejection(client.appendToStream('flag-a', [], { expectedRevision: 9n }));
  t.equal(error['type'], 'wrong-expected-version');
});
