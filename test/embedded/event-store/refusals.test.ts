import {
  EventStoreDBClient,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults as forAll,
  persistentSubscriptionToStreamSettingsFromDefaults as forStream,
  UnavailableError,
} from '@eventstore/db-client';
import { Client, credentials } from '@grpc/grpc-js';
import { test } from 'tap';
import { startEventStore } from '../../../src/embedded/event-store/start.js';
import {
  collect,
  event,
  rejection,
  startStore,
  connect,
  temporaryFolder,
} from '../../support/event-store.js';
import { freePort } from '../../support/free-port.js';

const MEBIBYTE = 1024 * 1024;
const CLASSIC = { credentials: { username: 'someone', password: 'ignored' } };
const WAYS = { 'batch append': {}, 'classic append': CLASSIC };

/** An event that counts exactly `bytes` against the size limit: `{"t":""}` is 8, its type X is 2. */
const sized = (bytes: number) => jsonEvent({ type: 'X', data: { t: 'x'.repeat(bytes - 10) } });

for (const [way, options] of Object.entries(WAYS)) {
  test(`${way} takes a mebibyte and not a byte more`, async (t) => {
    const { client } = await startStore(t);
    await client.appendToStream('s', sized(MEBIBYTE), options);
    for (const batch of [sized(MEBIBYTE + 1), [sized(MEBIBYTE / 2), sized(MEBIBYTE / 2 + 1)]])
      t.match(await rejection(client.appendToStream('s', batch, options)), {
        type: 'maximum-append-size-exceeded',
        maxAppendSize: MEBIBYTE,
      });
    await client.appendToStream('s', event('After'), options);
    t.equal((await collect(client.readStream('s'))).length, 2, 'a refused append stores nothing');
  });

  test(`${way} refuses the zero id and an empty type`, async (t) => {
    const { client } = await startStore(t);
    const zero = event('X', 0, '00000000-0000-0000-0000-000000000000');
    for (const refused of [zero, event('')])
      t.match(await rejection(client.appendToStream('s', refused, options)), { type: 'unknown' });
    t.match(await rejection(collect(client.readStream('s'))), { type: 'stream-not-found' });
  });
}

test('an append that arrives in many chunks is one append', async (t) => {
  const { client } = await startStore(t);
  const many = Array.from({ length: 100 }, (_, n) => event('X', n));
  const { nextExpectedRevision } = await client.appendToStream('s', many, { batchAppendSize: 400 });
  t.equal(nextExpectedRevision, 99n);
});

test('the chunks left over after a refusal are ignored', async (t) => {
  const { client } = await startStore(t);
  const many = Array.from({ length: 20 }, () => sized(200_000));
  const error = await rejection(client.appendToStream('s', many, { batchAppendSize: 200_000 }));
  t.equal(error['type'], 'maximum-append-size-exceeded');
  await client.appendToStream('s', event('After'));
  t.equal((await collect(client.readStream('s'))).length, 1);
});

test('a deadline that has passed is a timeout at once', async (t) => {
  const { client } = await startStore(t);
  const error = await rejection(client.appendToStream('s', event('X'), { deadline: -1000 }));
  t.equal(error['type'], 'deadline-exceeded');
  await client.appendToStream('s', event('X'), { deadline: 5000 });
  t.equal((await collect(client.readStream('s'))).length, 1);
});

test('what is not offered answers UNIMPLEMENTED, and the connection lives on', async (t) => {
  const { client } = await startStore(t);
  const attempts = [
    () => client.createPersistentSubscriptionToStream('s', 'group', forStream()),
    () => client.createPersistentSubscriptionToAll('group', forAll()),
    () => client.getPersistentSubscriptionToStreamInfo('s', 'group'),
    () => client.listAllPersistentSubscriptions(),
    () => client.replayParkedMessagesToStream('s', 'group'),
    () => client.restartPersistentSubscriptionSubsystem(),
    () => client.getProjectionStatus('p'),
  ];
  for (const attempt of attempts) t.match(await rejection(attempt()), { code: 12 });
  t.equal((await client.appendToStream('s', event('X'))).success, true);
});

test('a client that discovers its node finds this one', async (t) => {
  const { store } = await startStore(t);
  const client = connect(t, `esdb+discover://127.0.0.1:${store.port}?tls=false`);
  t.equal((await client.appendToStream('s', event('X'))).nextExpectedRevision, 0n);
});

test('a store that is not there is unavailable, and usable once it is back', async (t) => {
  const { client, store, folder } = await startStore(t);
  await client.appendToStream('s', event('X'));
  await store.close();
  const error = await rejection(client.appendToStream('s', event('X')));
  t.ok(error instanceof UnavailableError || error['code'] === 14);
  const restarted = await startStore(t, folder);
  await restarted.client.appendToStream('s', event('X'), { expectedRevision: 0n });
});

test('a unix socket is served as well', async (t) => {
  const folder = temporaryFolder(t);
  const socket = `${folder}/store.sock`;
  const store = await startEventStore({ folder, socket, port: await freePort() });
  t.teardown(store.close);
  const client = new EventStoreDBClient({ endpoint: `unix:${socket}` }, { insecure: true });
  t.teardown(() => client.dispose());
  t.equal((await client.appendToStream('s', event('X'))).nextExpectedRevision, 0n);
});

/** Sends these bytes as the only message of a call of the Streams service; the status code it ends with. */
const statusOf = (raw: Client, method: string, bytes: Buffer): Promise<number> => {
  const same = (value: Buffer): Buffer => value;
  const path = `/event_store.client.streams.Streams/${method}`;
  const call = raw.makeBidiStreamRequest(path, same, same);
  return new Promise((resolve) => {
    call.on('data', () => undefined);
    call.on('error', () => undefined);
    call.on('status', ({ code }) => {
      resolve(code);
    });
    call.end(bytes);
  });
};

test('messages that are none, or empty, end their call and nothing else', async (t) => {
  const { client, store } = await startStore(t);
  const raw = new Client(`127.0.0.1:${store.port}`, credentials.createInsecure());
  t.teardown(() => {
    raw.close();
  });
  for (const method of ['Read', 'Append', 'Delete', 'Tombstone'])
    for (const bytes of [Buffer.alloc(0), Buffer.from('0affffffffffffffffffff', 'hex')])
      t.not(await statusOf(raw, method, bytes), 0, `${method} of ${bytes.length} bytes`);
  t.not(await statusOf(raw, 'BatchAppend', Buffer.from('0aff', 'hex')), 0);
  t.equal((await client.appendToStream('s', event('X'))).nextExpectedRevision, 0n);
});
