import { END, jsonEvent, START, type Position } from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { test } from 'tap';
import { collect, event, events, record, startStore } from '../../support/event-store.js';

const isLive = (seen: readonly string[]): boolean => seen.includes('caught up');

test('a stream subscription delivers what is there, says caught up once, goes on live', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', [event('A'), event('B')]);
  const { seen, until } = record(t, client.subscribeToStream('s'));
  await until(isLive);
  await client.appendToStream('other', event('X'));
  await client.appendToStream('s', [event('C'), event('D')]);
  await until((all) => all.includes('s:D'));
  t.strictSame(seen, ['s:A', 's:B', 'caught up', 's:C', 's:D']);
});

test('a stream subscription begins after its revision', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', [event('A'), event('B'), event('C')]);
  const cases = [
    [START, ['s:A', 's:B', 's:C']],
    [0n, ['s:B', 's:C']],
    [2n, []],
    [END, []],
  ] as const;
  for (const [fromRevision, expected] of cases) {
    const { seen, until } = record(t, client.subscribeToStream('s', { fromRevision }));
    await until(isLive);
    t.strictSame(seen, [...expected, 'caught up'], String(fromRevision));
  }
});

test('a subscription to a missing stream waits for it', async (t) => {
  const { client } = await startStore(t);
  const { seen, until } = record(t, client.subscribeToStream('later'));
  await client.appendToStream('later', event('A'));
  await until(isLive);
  t.strictSame(seen, ['later:A', 'caught up']);
});

test('a subscription to $all begins after its position and misses nothing', async (t) => {
  const { client } = await startStore(t);
  const { position } = await client.appendToStream('s', event('A'));
  await client.appendToStream('s', event('B'));
  const cases: readonly (readonly [typeof START | typeof END | Position, readonly string[]])[] = [
    [position ?? START, ['s:B']],
    [END, []],
    [{ commit: 2n ** 60n, prepare: 2n ** 60n }, []],
  ];
  for (const [fromPosition, expected] of cases) {
    const { seen, until } = record(t, client.subscribeToAll({ fromPosition }));
    await until(isLive);
    t.strictSame(seen, [...expected, 'caught up']);
    await client.appendToStream('more', event('C'));
    await until((all) => all.includes('more:C'));
  }
});

test('subscribers that arrive during a load see every event once and in order', async (t) => {
  const { client } = await startStore(t);
  const total = 1000;
  const load = (async () => {
    for (let n = 0; n < total; n += 10)
      await client.appendToStream(
        'load',
        Array.from({ length: 10 }, (_, i) => event('X', n + i)),
      );
  })();
  const consume = async (): Promise<bigint[]> => {
    const revisions: bigint[] = [];
    for await (const { event } of client.subscribeToAll()) {
      if (event?.streamId === 'load') revisions.push(event.revision);
      if (revisions.length === total) break;
    }
    return revisions;
  };
  const consumeStream = async (): Promise<bigint[]> => {
    const revisions: bigint[] = [];
    for await (const { event } of client.subscribeToStream('load'))
      if (revisions.push(event?.revision ?? -1n) === total) break;
    return revisions;
  };
  const expected = Array.from({ length: total }, (_, n) => BigInt(n));
  for (const revisions of await Promise.all([consume(), consumeStream(), consume()]))
    t.strictSame(revisions, expected);
  await load;
});

test('a slow consumer holds nobody up and gets everything', async (t) => {
  const { client } = await startStore(t);
  const text = 'x'.repeat(20_000);
  const slow = client.subscribeToStream('big');
  await new Promise((resolve) => slow.once('confirmation', resolve)); // and then it does not read
  const total = 400;
  for (let n = 0; n < total; n += 20)
    await client.appendToStream(
      'big',
      Array.from({ length: 20 }, (_, i) => jsonEvent({ type: 'X', data: { n: n + i, text } })),
    );
  t.equal((await collect(client.readStream('big'))).length, total, 'others are served meanwhile');

  const seen: unknown[] = [];
  for await (const { event } of slow)
    if (seen.push((event?.data as { n: number }).n) === total) break;
  t.strictSame(
    seen,
    Array.from({ length: total }, (_, n) => n),
  );
});

test('a tombstone is delivered and then ends the subscription', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', event('A'));
  const live = record(t, client.subscribeToStream('s'));
  await live.until(isLive);
  await client.tombstoneStream('s');
  await live.untilFailed();
  t.strictSame(live.seen, ['s:A', 'caught up', 's:$streamDeleted']);
  t.match(live.errors, [{ type: 'stream-deleted', streamName: 's' }]);

  const late = record(t, client.subscribeToStream('s'));
  await late.untilFailed();
  t.match(late.errors, [{ type: 'stream-deleted' }]);
});

test('a soft-deleted stream is silent until it is written to again', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', event('A'));
  await client.deleteStream('s');
  const { seen, until } = record(t, client.subscribeToStream('s'));
  await client.appendToStream('s', event('B'));
  await until(isLive);
  t.strictSame(seen, ['s:B', 'caught up']);
});

test('a live subscription gets what $maxCount hides meanwhile', async (t) => {
  const { client } = await startStore(t);
  await client.setStreamMetadata('s', { maxCount: 1 });
  await client.appendToStream('s', event('A'));
  const { seen, until } = record(t, client.subscribeToStream('s'));
  await until(isLive);
  await client.appendToStream('s', events('A', 5));
  await until((all) => all.length === 7);
  t.equal(seen.filter((name) => name === 's:A').length, 6);
});

test('closing the store ends subscriptions as the reset of a real one does', async (t) => {
  const { client, store } = await startStore(t);
  const { errors, until, untilFailed } = record(t, client.subscribeToAll());
  await until(isLive);
  await store.close();
  await untilFailed();
  t.match(errors, [{ type: 'unknown', code: status.INTERNAL }]);
});

test('closing the store ends a read nobody finishes, and the log opens again', async (t) => {
  const { client, store, folder } = await startStore(t);
  const text = 'x'.repeat(50_000);
  for (let n = 0; n < 30; n++)
    await client.appendToStream(
      's',
      Array.from({ length: 10 }, () => jsonEvent({ type: 'X', data: { text } })),
    );
  const read = client.readStream('s');
  await new Promise((resolve) => read.once('readable', resolve)); // and then it reads no further
  const failed = new Promise((resolve) => read.once('error', resolve));
  await store.close();
  read.resume();
  t.match(await failed, { name: 'Error' });
  const { client: later } = await startStore(t, folder);
  t.equal((await collect(later.readStream('s'))).length, 300);
});
