import { BACKWARDS, END, jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';
import { test } from 'tap';
import { collect, event, events, startStore } from '../../support/event-store.js';

const revisions = async (client: EventStoreDBClient, stream: string, options = {}) =>
  (await collect(client.readStream(stream, options))).map(({ event }) => Number(event?.revision));

test('metadata is what was set last, with its revision', async (t) => {
  const { client } = await startStore(t);
  t.strictSame(await client.getStreamMetadata('s'), { streamName: 's' });
  const metadata = { maxCount: 3, maxAge: 100, cacheControl: 5, custom: 'yes', truncateBefore: 1 };
  const acl = { readRoles: ['$all'], writeRoles: ['admin'] };
  await client.setStreamMetadata('s', { maxCount: 1 });
  await client.setStreamMetadata('s', { ...metadata, acl });
  const { metadata: found, metastreamRevision } = await client.getStreamMetadata('s');
  t.match(found, { ...metadata, acl });
  t.ok(metastreamRevision !== undefined);
  t.strictSame(await revisions(client, '$$s'), [1], 'a metadata stream keeps one event');
});

test('$maxCount leaves the newest events, and revisions as they are', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 5));
  await client.setStreamMetadata('s', { maxCount: 2 });
  t.strictSame(await revisions(client, 's'), [3, 4]);
  t.strictSame(await revisions(client, 's', { fromRevision: 0n, maxCount: 1 }), [3]);
  t.strictSame(await revisions(client, 's', { direction: BACKWARDS, fromRevision: END }), [4, 3]);
  t.strictSame(await revisions(client, 's', { direction: BACKWARDS, fromRevision: 1n }), []);
  await client.appendToStream('s', event('X'), { expectedRevision: 4n });
  t.strictSame(await revisions(client, 's'), [4, 5]);
});

test('$tb hides what is before it, also when it is past the end', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 5));
  await client.setStreamMetadata('s', { truncateBefore: 3 });
  t.strictSame(await revisions(client, 's'), [3, 4]);
  await client.setStreamMetadata('s', { truncateBefore: 100 });
  t.strictSame(await revisions(client, 's'), [], 'empty and not missing');
  t.strictSame(await revisions(client, 's', { direction: BACKWARDS, fromRevision: END }), []);
});

test('$maxAge hides what is older, by the time of writing', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 5));
  await client.setStreamMetadata('s', { maxAge: 1 });
  t.strictSame(await revisions(client, 's'), [0, 1, 2, 3, 4]);
  while ((await revisions(client, 's')).length > 0); // until a second has passed for all of them
  await client.appendToStream('s', event('Young'));
  t.strictSame(await revisions(client, 's'), [5]);
  t.strictSame(await revisions(client, 's', { direction: BACKWARDS, fromRevision: END }), [5]);
});

test('events hidden from their stream stay in $all', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 5));
  await client.setStreamMetadata('s', { maxCount: 1 });
  const all = await collect(client.readAll());
  t.equal(all.filter(({ event }) => event?.streamId === 's').length, 5);
});

test('metadata survives a restart', async (t) => {
  const { client, store, folder } = await startStore(t);
  await client.appendToStream('s', events('X', 5));
  await client.setStreamMetadata('s', { maxCount: 2 });
  await store.close();
  const restarted = await startStore(t, folder);
  t.strictSame(await revisions(restarted.client, 's'), [3, 4]);
});

test('metadata that is not understood is no metadata', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 2));
  for (const data of ['text', { $maxCount: 'x', $tb: -4, $maxAge: {} }])
    await client.appendToStream('$$s', jsonEvent({ type: '$metadata', data }));
  t.strictSame(await revisions(client, 's'), [0, 1]);
});
