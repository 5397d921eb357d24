import { once } from 'node:events';
import {
  END,
  eventTypeFilter,
  excludeSystemEvents,
  START,
  streamNameFilter,
  type EventStoreDBClient,
  type Filter,
  type Position,
} from '@eventstore/db-client';
import { test } from 'tap';
import { event, events, record, rejection, startStore } from '../../support/event-store.js';

const fill = async (client: EventStoreDBClient): Promise<void> => {
  await client.appendToStream('flag-a', [event('FlagCreated'), event('FlagEnabled')]);
  await client.appendToStream('segment-a', [event('SegmentCreated'), event('$internal')]);
  await client.appendToStream('$system', event('FlagLike'));
  await client.appendToStream('flag-b', event('FlagCreated'));
};

const FLAGS = ['flag-a:FlagCreated', 'flag-a:FlagEnabled', 'flag-b:FlagCreated'];

const CASES: Record<string, readonly [Filter, readonly string[]]> = {
  'stream name prefix': [streamNameFilter({ prefixes: ['flag-'] }), FLAGS],
  'several prefixes': [
    streamNameFilter({ prefixes: ['nothing-', 'segment-', '$sys'] }),
    ['segment-a:SegmentCreated', 'segment-a:$internal', '$system:FlagLike'],
  ],
  'stream name regex': [streamNameFilter({ regex: '^flag-.$' }), FLAGS],
  'event type prefix': [
    eventTypeFilter({ prefixes: ['Flag'] }),
    [...FLAGS.slice(0, 2), '$system:FlagLike', 'flag-b:FlagCreated'],
  ],
  'event type regex': [
    eventTypeFilter({ regex: 'Created$' }),
    ['flag-a:FlagCreated', 'segment-a:SegmentCreated', 'flag-b:FlagCreated'],
  ],
  'a regex with a .NET inline flag': [
    eventTypeFilter({ regex: '(?i)^FLAGcreated$' }),
    ['flag-a:FlagCreated', 'flag-b:FlagCreated'],
  ],
  'system events, by type and not by stream': [
    excludeSystemEvents(),
    [
      'flag-a:FlagCreated',
      'flag-a:FlagEnabled',
      'segment-a:SegmentCreated',
      '$system:FlagLike',
      'flag-b:FlagCreated',
    ],
  ],
};

for (const [name, [filter, expected]] of Object.entries(CASES))
  test(`$all is filtered by ${name}, in the log and live`, async (t) => {
    const { client } = await startStore(t);
    await fill(client);
    const { seen, until } = record(t, client.subscribeToAll({ filter }));
    await until((all) => all.includes('caught up'));
    t.strictSame(seen, [...expected, 'caught up']);

    await client.appendToStream('other', event('Unwanted:$'));
    await fill(client);
    const live = expected.length * 2 + 1;
    await until((all) => all.length >= live);
    t.strictSame(
      seen.slice(expected.length + 1).filter((name) => name !== 'other:Unwanted:$'),
      expected,
    );
  });

/** Subscribes and waits until it is live; the positions of all checkpoints, in order of arrival. */
const checkpointsOf = async (
  client: EventStoreDBClient,
  options: { maxSearchWindow?: number; checkpointInterval?: number },
  fromPosition: typeof START | typeof END | Position = START,
) => {
  const checkpoints: bigint[] = [];
  const filter = streamNameFilter({
    prefixes: ['wanted'],
    checkpointReached: (subscription, { commit }) => {
      checkpoints.push(commit);
      subscription.emit('checkpoint');
    },
    ...options,
  });
  const subscription = client.subscribeToAll({ filter, fromPosition });
  subscription.on('data', () => undefined);
  await new Promise((resolve) => subscription.once('caughtUp', resolve));
  return { checkpoints, subscription };
};

test('a checkpoint tells of every window of considered events, and one of going live', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('unwanted', events('X', 99)); // 100 with the system event
  const { position } = await client.appendToStream('wanted', events('X', 1));
  const cases = [
    [{ maxSearchWindow: 10, checkpointInterval: 1 }, 11],
    [{ maxSearchWindow: 10, checkpointInterval: 5 }, 3],
    [{ checkpointInterval: 1 }, 4], // 32 by default
    [{ maxSearchWindow: 1000 }, 1],
  ] as const;
  for (const [options, count] of cases) {
    const { checkpoints, subscription } = await checkpointsOf(client, options);
    await subscription.unsubscribe();
    t.equal(checkpoints.length, count, JSON.stringify(options));
    t.equal(checkpoints.at(-1), position?.commit, 'the last one is the end of the log');
    t.strictSame(
      checkpoints,
      [...checkpoints].sort((a, b) => Number(a - b)),
      'never backwards',
    );
  }
});

test('checkpoints go on while live, past events nobody wants', async (t) => {
  const { client } = await startStore(t);
  const { checkpoints, subscription } = await checkpointsOf(client, { maxSearchWindow: 5 }, END);
  t.equal(checkpoints.length, 1, 'one of going live, at the end of the log');
  await client.appendToStream('unwanted', events('X', 12));
  while (checkpoints.length < 3) await once(subscription, 'checkpoint');
  t.equal(checkpoints.length, 3);
  await subscription.unsubscribe();
});

test('an expression that is none is refused', async (t) => {
  const { client } = await startStore(t);
  const subscription = client.subscribeToAll({ filter: eventTypeFilter({ regex: '(' }) });
  const failed = new Promise((_, reject) => subscription.once('error', reject));
  t.match(await rejection(failed), { code: 3 });
});
