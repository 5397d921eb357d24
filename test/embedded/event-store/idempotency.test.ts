import { ANY, NO_STREAM, STREAM_EXISTS } from '@eventstore/db-client';
import { test } from 'tap';
import { openLog } from '../../../src/embedded/event-store/log/log.js';
import {
  collect,
  event,
  events,
  rejection,
  startStore,
  temporaryFolder,
} from '../../support/event-store.js';

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const C = '00000000-0000-4000-8000-00000000000c';

test('the same append again, with an explicit revision, is answered and not stored', async (t) => {
  const { client } = await startStore(t);
  const batch = [event('X', 0, A), event('X', 1, B)];
  const first = await client.appendToStream('s', batch, { expectedRevision: NO_STREAM });
  await client.appendToStream('s', event('Later'), { expectedRevision: 1n });
  const again = await client.appendToStream('s', batch, { expectedRevision: NO_STREAM });
  t.strictSame(again, first, 'revision and position of its own last event');
  t.equal((await collect(client.readStream('s'))).length, 3);
});

test('an explicit repeat is recognised after a restart', async (t) => {
  const { store, client, folder } = await startStore(t);
  await client.appendToStream('s', event('X', 0, A), { expectedRevision: NO_STREAM });
  await client.appendToStream('s', event('X', 1, B), { expectedRevision: 0n });
  await store.close();

  const restarted = await startStore(t, folder);
  const again = await restarted.client.appendToStream('s', event('X', 0, A), {
    expectedRevision: NO_STREAM,
  });
  t.equal(again.nextExpectedRevision, 0n);
  t.equal((await collect(restarted.client.readStream('s'))).length, 2);
});

test('an explicit repeat that differs anywhere is refused', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', [event('X', 0, A), event('X', 1, B)]);
  const differing = [
    [event('X', 0, C)],
    [event('X', 0, A), event('X', 1, C)],
    [event('X', 0, A), event('X', 1, B), event('X', 2, C)],
  ];
  for (const batch of differing) {
    const error = await rejection(
      client.appendToStream('s', batch, { expectedRevision: NO_STREAM }),
    );
    t.equal(error['type'], 'wrong-expected-version');
  }
  t.equal((await collect(client.readStream('s'))).length, 2);
});

test('type and body are not compared: the first body wins', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', event('First', 1, A), { expectedRevision: NO_STREAM });
  await client.appendToStream('s', event('Second', 2, A), { expectedRevision: NO_STREAM });
  const [only] = await collect(client.readStream('s'));
  t.equal(only?.event?.type, 'First');
});

for (const expectedRevision of [ANY, STREAM_EXISTS] as const)
  test(`${expectedRevision}: known ids are answered, new ones appended, [known, new] refused`, async (t) => {
    const { client } = await startStore(t);
    const first = await client.appendToStream('s', [event('X', 0, A), event('X', 1, B)]);

    const again = await client.appendToStream('s', event('X', 0, A), { expectedRevision });
    t.equal(again.nextExpectedRevision, 0n, 'the place of the known event');
    const both = await client.appendToStream('s', [event('X', 0, A), event('X', 1, B)], {
      expectedRevision,
    });
    t.strictSame(both, first);

    const mixed = [event('X', 0, A), event('X', 2, C)];
    const error = await rejection(client.appendToStream('s', mixed, { expectedRevision }));
    t.equal(error['type'], 'wrong-expected-version');

    const reversed = await client.appendToStream('s', [event('X', 2, C), event('X', 0, A)], {
      expectedRevision,
    });
    t.equal(reversed.nextExpectedRevision, 3n, '[new, known] stores the known id twice');
    t.strictSame(
      (await collect(client.readStream('s'))).map((resolved) => resolved.event?.id),
      [A, B, C, A],
    );
  });

test('a repeat of what is not committed yet is a timeout, and known once it is', async (t) => {
  const log = openLog(temporaryFolder(t), {
    check: false,
    maxAppendBytes: 1024,
    onFault: () => t.fail('a fault'),
    warn: (text) => t.fail(text),
  });
  t.teardown(log.close);
  const data = Buffer.alloc(0);
  const repeated = [{ id: A, type: 'X', isJson: false, data, metadata: data }];
  const everyWay = ['no_stream', 'any', 'stream_exists'] as const;
  const appendInEveryWay = () =>
    Promise.all(everyWay.map((expected) => log.append('s', expected, repeated)));
  const first = log.append('s', 'no_stream', repeated);
  const timeout = { kind: 'timeout' };
  t.strictSame(await appendInEveryWay(), [timeout, timeout, timeout]);
  const written = await first;
  t.match(written, { kind: 'written', revision: 0 });
  t.strictSame(await appendInEveryWay(), [written, written, written]);
});

test('any: known events in an order that a real server never answers are refused', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', [event('X', 0, A), event('X', 1, B), event('X', 2, C)]);
  const error = await rejection(client.appendToStream('s', [event('X', 2, C), event('X', 0, A)]));
  t.equal(error['type'], 'unknown');
});

test('no_stream appends to a soft-deleted stream, behind its old events', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 2));
  await client.deleteStream('s');
  const { nextExpectedRevision } = await client.appendToStream('s', event('X', 0, C), {
    expectedRevision: NO_STREAM,
  });
  t.equal(nextExpectedRevision, 2n);
});
