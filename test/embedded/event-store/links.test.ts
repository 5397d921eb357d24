import { binaryEvent, type EventStoreDBClient } from '@eventstore/db-client';
import { test } from 'tap';
import { collect, event, record, startStore } from '../../support/event-store.js';

const link = (target: string) =>
  binaryEvent({ type: '$>', data: Uint8Array.from(Buffer.from(target)) });

const readLinks = (client: EventStoreDBClient) =>
  collect(client.readStream('links', { resolveLinkTos: true }));

test('a resolved link carries its target and itself, at its own position', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('target@home', [event('A', 1), event('B', 2)]);
  const { position } = await client.appendToStream('links', link('1@target@home'));
  const [resolved] = await readLinks(client);
  t.match(resolved, {
    event: { streamId: 'target@home', revision: 1n, type: 'B', data: { n: 2 } },
    link: { streamId: 'links', revision: 0n, type: '$>' },
    commitPosition: position?.commit,
  });
});

test('without resolving, a link is an ordinary event', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('target', event('A'));
  await client.appendToStream('links', link('0@target'));
  const [resolved] = await collect(client.readStream('links'));
  t.equal(resolved?.event?.type, '$>');
  t.notOk(resolved?.link);
});

test('a link to what is gone comes without an event', async (t) => {
  const { client } = await startStore(t);
  for (const stream of ['deleted', 'tombstoned', 'truncated'])
    await client.appendToStream(stream, [event('A'), event('B')]);
  const targets = [
    '0@deleted',
    '0@tombstoned',
    '0@truncated',
    '1@truncated',
    '9@truncated',
    '0@no',
  ];
  await client.appendToStream('links', targets.map(link));
  await client.deleteStream('deleted');
  await client.tombstoneStream('tombstoned');
  await client.setStreamMetadata('truncated', { truncateBefore: 1 });
  t.strictSame(
    (await readLinks(client)).map(({ event, link }) => [event?.type, link?.type]),
    targets.map((target) => [target === '1@truncated' ? 'B' : undefined, '$>']),
  );
});

test('what only looks like a link is an ordinary event', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('links', ['', 'nonsense', 'x@y', '@y'].map(link));
  const all = await readLinks(client);
  t.ok(all.every((resolved) => resolved.event?.type === '$>' && !resolved.link));
  t.equal(all.length, 4);
});

test('subscriptions resolve links too', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('target', event('A'));
  await client.appendToStream('links', link('0@target'));
  const options = { resolveLinkTos: true };
  const stream = record(t, client.subscribeToStream('links', options));
  const all = record(t, client.subscribeToAll(options));
  await stream.until((seen) => seen.includes('caught up'));
  await client.appendToStream('links', [link('0@target'), link('7@target')]);
  await stream.until((seen) => seen.includes('gone'));
  await all.until((seen) => seen.includes('gone'));
  t.strictSame(stream.seen, ['target:A', 'caught up', 'target:A', 'gone']);
  t.equal(all.seen.filter((name) => name === 'target:A').length, 3);
});
