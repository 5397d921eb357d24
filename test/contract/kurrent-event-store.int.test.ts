import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { eventId, EventStoreUnavailable } from '../../src/commands/streams/event-store.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { connectService } from '../support/event-store.js';
import { freePort } from '../support/free-port.js';
import { metadata } from '../support/metadata.js';
import { tcpProxy } from '../support/tcp-proxy.js';
import { eventStoreContract } from './event-store.js';

const url = (): string => {
  const given = process.env['TEST_EVENTSTORE_URL'];
  if (given === undefined) throw new Error('TEST_EVENTSTORE_URL names the event store to test on.');
  return given;
};

test('the adapter to EventStoreDB keeps the contract', async (t) => {
  const connection = connectService(t, url());
  const run = randomUUID();
  await eventStoreContract(t, kurrentEventStore(connection), (name) => `contract-${run}-${name}`);
});

test('a long stream is read whole', async (t) => {
  const connection = connectService(t, url());
  const store = kurrentEventStore(connection);
  const stream = `contract-long-${randomUUID()}`;
  const count = 2_500;
  const events = Array.from({ length: count }, (_, index) => ({
    type: 'Happened',
    data: { index },
    id: eventId(stream, 'c1', index),
  }));
  await store.append(stream, events, { expectedRevision: -1, metadata: metadata('c1') });
  const slice = await store.read(stream);
  t.strictSame(
    slice.events.map(({ revision }) => revision),
    events.map((_, index) => index),
  );
});

test('a long stream is read in pages, however slowly it comes', async (t) => {
  const proxy = await tcpProxy(t, url(), 2_000_000);
  const [direct, slow] = [connectService(t, url()), connectService(t, proxy.url)];
  const stream = `contract-slow-${randomUUID()}`;
  const text = 'x'.repeat(900_000);
  for (let revision = 0; revision < 6; revision += 1) {
    const event = { type: 'Happened', data: { text }, id: randomUUID() };
    const options = { expectedRevision: revision - 1, metadata: metadata(`c${revision}`) };
    await kurrentEventStore(direct).append(stream, [event], options);
  }
  const store = kurrentEventStore(slow);
  const first = await store.readPage(stream, 0);
  t.strictSame([first.revision, first.isEnd], [4, false]);
  const rest = await store.readPage(stream, 5);
  t.strictSame([rest.revision, rest.isEnd], [5, true]);
  t.strictSame(await store.readPage(stream, 6), { events: [], revision: 5, isEnd: true });
});

test('what is over the size limit is refused, and nothing is written', async (t) => {
  const connection = connectService(t, url());
  const store = kurrentEventStore(connection);
  const stream = `contract-large-${randomUUID()}`;
  const event = { type: 'Happened', data: { text: 'x'.repeat(1_100_000) }, id: randomUUID() };
  const appending = store.append(stream, [event], {
    expectedRevision: -1,
    metadata: metadata('c1'),
  });
  await t.rejects(appending, { code: 'command-too-large' });
  t.equal((await store.read(stream)).revision, -1);
});

test('a store that is not there wrote nothing, and that is what is said', async (t) => {
  const connection = connectService(t, `esdb://127.0.0.1:${await freePort()}?tls=false`);
  const store = kurrentEventStore(connection);
  const event = { type: 'Happened', data: {}, id: randomUUID() };
  const options = { expectedRevision: -1, metadata: metadata('c1') };
  await t.rejects(store.read('nowhere'), { name: EventStoreUnavailable.name });
  await t.rejects(store.append('nowhere', [event], options), { name: EventStoreUnavailable.name });
});
