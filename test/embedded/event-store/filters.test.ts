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
    const wanted = (all: readonly string[]) => all.filter((name) => name !== 'other:Unwanted:$');
    await until((all) => wanted(all).length >= expected.length * 2 + 1);
    t.strictSame(wanted(seen).slice(expected.length + 1), expected);
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

test('while catching up a checkpoint tells of every whole window of considered events', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('unwanted', events('X', 99)); // 100 with the system event
  await client.appendToStream('wanted', events('X', 1));
  const cases = [
    [{ maxSearchWindow: 10, checkpointInterval: 1 }, 10],
    [{ maxSearchWindow: 10, checkpointInterval: 5 }, 2],
    [{ checkpointInterval: 1 }, 3], // 32 by default
    [{ maxSearchWindow: 1000 }, 0],
  ] as const;
  for (const [options, count] of cases) {
    const { checkpoints, subscription } = await checkpointsOf(client, options);
    await subscription.unsubscribe();
    t.equal(checkpoints.length, count, JSON.stringify(options));
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
  t.equal(checkpoints.length, 0);
  await client.appendToStream('unwanted', events('X', 12));
  while (checkpoints.length < 2) await once(subscription, 'checkpoint');
  t.equal(checkpoints.length, 2);
  await subscription.unsubscribe();
});

test('an expression that cannot be run as .NET would is refused', async (t) => {
  const { client } = await startStore(t);
  const refused = [
    '(',
    '(?=x)',
    '(?<!x)y',
    String.raw`(a)\1`,
    '(?>a)',
    '(?x) a',
    '[a-z-[aeiou]]',
    String.raw`\bx`,
    String.raw`\p{Greek}`,
    String.raw`\pL`,
    String.raw`\Qa\E`,
    '(?P<n>a)',
    'a{1000}b{1000}',
  ];
  for (const regex of refused) {
    const subscription = client.subscribeToAll({ filter: eventTypeFilter({ regex }) });
    const failed = new Promise((_, reject) => subscription.once('error', reject));
    t.match(await rejection(failed), { code: 3 }, regex);
  }
});

test('an expression means what it means in .NET, outside ASCII too', async (t) => {
  const { client } = await startStore(t);
  const names = ['a1', 'ä٣', 'a-[', 'A b', 'line\n', 'x\u00a0y'];
  for (const name of names) await client.appendToStream(name, event('X'));
  const cases: Record<string, readonly string[]> = {
    [String.raw`^\w\d$`]: ['a1', 'ä٣'],
    [String.raw`^[\w-]+\[\z`]: ['a-['],
    [String.raw`^\S\s\S$`]: ['A b', 'x\u00a0y'],
    '^line$': ['line\n'],
    [String.raw`\Aline\z`]: [],
    [String.raw`^\u0061[^\d][[]$`]: ['a-['],
    '^(?<first>a)(?:1|2)$': ['a1'],
    '(?i)^a b$': ['A b'],
  };
  for (const [regex, expected] of Object.entries(cases)) {
    const { seen, until } = record(
      t,
      client.subscribeToAll({ filter: streamNameFilter({ regex }) }),
    );
    await until((all) => all.includes('caught up'));
    t.strictSame(
      seen.slice(0, -1),
      expected.map((name) => `${name}:X`),
      regex,
    );
  }
});

test('an expression that backtracks for ever elsewhere holds nobody up', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream(`${'a'.repeat(5_000)}!`, event('X'));
  const { seen, until } = record(
    t,
    client.subscribeToAll({ filter: streamNameFilter({ regex: '^(a+)+$' }) }),
  );
  await until((all) => all.includes('caught up'));
  await client.appendToStream('aaa', event('Y'));
  await until((all) => all.includes('aaa:Y'));
  t.strictSame(seen, ['caught up', 'aaa:Y']);
});
