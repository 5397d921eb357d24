import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { EventStoreUnavailable } from '../../src/commands/event-store.js';
import { eventId } from '../../src/commands/event-id.js';
import {
  kurrentClient,
  kurrentEventStore,
} from '../../src/infrastructure/kurrent/kurrent-event-store.js';
import { freePort } from '../support/free-port.js';
import { metadata } from '../support/metadata.js';
import { eventStoreContract } from './event-store.js';

const url = (): string => {
  const given = process.env['TEST_EVENTSTORE_URL'];
  if (given === undefined) throw new Error('TEST_EVENTSTORE_URL names the event store to test on.');
  return given;
};

test('the adapter to EventStoreDB keeps the contract', async (t) => {
  const client = kurrentClient(url());
  t.teardown(() => {
    client.dispose().catch(() => undefined);
  });
  const run = randomUUID();
  await eventStoreContract(t, kurrentEventStore(client), (name) => `contract-${run}-${name}`);
});

test('a long stream is read whole', async (t) => {
  const client = kurrentClient(url());
  t.teardown(() => {
    client.dispose().catch(() => undefined);
  });
  const store = kurrentEventStore(client);
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

test('what is over the size limit is refused, and nothing is written', async (t) => {
  const client = kurrentClient(url());
  t.teardown(() => {
    client.dispose().catch(() => undefined);
  });
  const store = kurrentEventStore(client);
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
  const client = kurrentClient(`esdb://127.0.0.1:${await freePort()}?tls=false`);
  t.teardown(() => {
    client.dispose().catch(() => undefined);
  });
  const store = kurrentEventStore(client);
  const event = { type: 'Happened', data: {}, id: randomUUID() };
  const options = { expectedRevision: -1, metadata: metadata('c1') };
  await t.rejects(store.read('nowhere'), { name: EventStoreUnavailable.name });
  await t.rejects(store.append('nowhere', [event], options), { name: EventStoreUnavailable.name });
});
