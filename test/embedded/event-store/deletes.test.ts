import { ANY, NO_STREAM, STREAM_EXISTS, type EventStoreDBClient } from '@eventstore/db-client';
import { test } from 'tap';
import { collect, event, events, rejection, startStore } from '../../support/event-store.js';

const revisions = async (client: EventStoreDBClient, stream: string) =>
  (await collect(client.readStream(stream))).map(({ event }) => Number(event?.revision));

test('a soft-deleted stream is not found, and revives behind its old events', async (t) => {
  const { client, store, folder } = await startStore(t);
  await client.appendToStream('s', events('Old', 3));
  await client.setStreamMetadata('s', { custom: 'dropped by the delete' });
  const { position } = await client.deleteStream('s', { expectedRevision: 2n });
  t.ok(position);
  t.match(await rejection(revisions(client, 's')), { type: 'stream-not-found' });
  await store.close();

  const { client: later } = await startStore(t, folder);
  t.match(await rejection(revisions(later, 's')), { type: 'stream-not-found' }, 'after a restart');
  const { nextExpectedRevision } = await later.appendToStream('s', events('New', 2));
  t.equal(nextExpectedRevision, 4n);
  t.strictSame(await revisions(later, 's'), [3, 4]);
  const { metadata } = await later.getStreamMetadata('s');
  t.strictSame(metadata, { truncateBefore: 3 });
});

test('many appends at once revive a soft-deleted stream once', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('Old', 2));
  await client.deleteStream('s');
  await Promise.all([1, 2, 3].map((n) => client.appendToStream('s', event('New', n))));
  t.strictSame(await revisions(client, 's'), [2, 3, 4]);
});

test('setting metadata revives a soft-deleted stream as an empty one and keeps what was set', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('Old', 2));
  await client.deleteStream('s');
  await client.setStreamMetadata('s', { maxCount: 7, custom: 'kept' });
  t.strictSame(await revisions(client, 's'), []);
  const { metadata } = await client.getStreamMetadata('s');
  t.strictSame(metadata, { maxCount: 7, custom: 'kept', truncateBefore: 2 });
});

test('a stream can be deleted again after it has been revived', async (t) => {
  const { client } = await startStore(t);
  for (let round = 0; round < 3; round++) {
    await client.appendToStream('s', event('X'));
    t.strictSame(await revisions(client, 's'), [round]);
    await client.deleteStream('s');
    t.match(await rejection(revisions(client, 's')), { type: 'stream-not-found' });
  }
});

test('a delete checks the expected revision', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 3));
  for (const expectedRevision of [NO_STREAM, 1n, 9n] as const)
    t.match(await rejection(client.deleteStream('s', { expectedRevision })), {
      type: 'wrong-expected-version',
      streamName: 's',
      expectedVersion: expectedRevision === NO_STREAM ? -1n : expectedRevision,
      actualVersion: 2n,
    });
  for (const expectedRevision of [ANY, NO_STREAM, 0n] as const)
    t.match(
      await rejection(client.deleteStream('missing', { expectedRevision })),
      { type: 'wrong-expected-version', actualVersion: -1n },
      'there is nothing to delete',
    );
  t.strictSame(await revisions(client, 's'), [0, 1, 2]);
});

test('a tombstone is for ever', async (t) => {
  const { client, store, folder } = await startStore(t);
  await client.appendToStream('s', events('X', 2));
  t.match(await rejection(client.tombstoneStream('s', { expectedRevision: 0n })), {
    type: 'wrong-expected-version',
  });
  t.ok((await client.tombstoneStream('s', { expectedRevision: 1n })).position);
  const refusesAll = async (by: EventStoreDBClient): Promise<void> => {
    const attempts = {
      read: () => revisions(by, 's'),
      append: () => by.appendToStream('s', event('X')),
      'append to its metadata': () => by.setStreamMetadata('s', { maxCount: 1 }),
      delete: () => by.deleteStream('s'),
      tombstone: () => by.tombstoneStream('s'),
    };
    for (const [name, attempt] of Object.entries(attempts))
      t.match(await rejection(attempt()), { type: 'stream-deleted' }, name);
    t.match(await rejection(revisions(by, 's')), { streamName: 's' });
  };
  await refusesAll(client);
  const last = (await collect(client.readAll())).at(-1)?.event;
  t.match(last, { type: '$streamDeleted', streamId: 's', revision: 2n ** 63n - 1n });
  await store.close();
  await refusesAll((await startStore(t, folder)).client);
});

test('a stream that never was can be tombstoned, unless it has to exist', async (t) => {
  const { client } = await startStore(t);
  t.match(
    await rejection(client.tombstoneStream('x', { expectedRevision: STREAM_EXISTS as never })),
    {
      type: 'wrong-expected-version',
      expectedVersion: -4n,
      actualVersion: -1n,
    },
  );
  await client.tombstoneStream('x', { expectedRevision: NO_STREAM });
  t.match(await rejection(client.appendToStream('x', event('X'))), { type: 'stream-deleted' });
});
