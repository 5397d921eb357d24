import { randomUUID } from 'node:crypto';
import { BACKWARDS, binaryEvent, END, FORWARDS, jsonEvent, START } from '@eventstore/db-client';
import { test } from 'tap';
import { collect, event, events, rejection, startStore } from '../../support/event-store.js';

const revisionsOf = (resolved: readonly { event?: { revision: bigint } }[]) =>
  resolved.map(({ event }) => Number(event?.revision));

test('an event comes back as it was written', async (t) => {
  const { client } = await startStore(t);
  const id = randomUUID();
  const before = Date.now();
  const { position } = await client.appendToStream(
    'flag-äöü-🚩',
    jsonEvent({ id, type: 'FlagCreated', data: { name: 'Ünïcödé 🚩' }, metadata: { actor: 'x' } }),
  );
  const [resolved] = await collect(client.readStream('flag-äöü-🚩'));
  t.match(resolved?.event, {
    id,
    streamId: 'flag-äöü-🚩',
    revision: 0n,
    type: 'FlagCreated',
    isJson: true,
    data: { name: 'Ünïcödé 🚩' },
    metadata: { actor: 'x' },
    position,
  });
  t.equal(resolved?.commitPosition, position?.commit);
  t.ok((resolved?.event?.created.getTime() ?? 0) >= before);
});

test('binary data and metadata come back byte for byte', async (t) => {
  const { client } = await startStore(t);
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
  await client.appendToStream('s', [
    binaryEvent({ type: 'Blob', data: bytes, metadata: bytes }),
    binaryEvent({ type: 'Empty', data: new Uint8Array() }),
  ]);
  const [full, empty] = await collect(client.readStream('s'));
  t.match(full?.event, { isJson: false, data: bytes, metadata: bytes });
  t.equal((empty?.event?.data as Uint8Array).length, 0);
});

test('a stream is read in both directions, from any revision, up to a count', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 10));
  const cases = [
    [{ direction: FORWARDS, fromRevision: START }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [{ direction: FORWARDS, fromRevision: 7n }, [7, 8, 9]],
    [{ direction: FORWARDS, fromRevision: 7n, maxCount: 2 }, [7, 8]],
    [{ direction: FORWARDS, fromRevision: 10n }, []],
    [{ direction: BACKWARDS, fromRevision: END }, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    [{ direction: BACKWARDS, fromRevision: 2n }, [2, 1, 0]],
    [{ direction: BACKWARDS, fromRevision: 100n, maxCount: 2 }, [9, 8]],
    [{ direction: BACKWARDS, fromRevision: START }, [0]],
    [{ direction: BACKWARDS, fromRevision: END, maxCount: 1 }, [9]],
  ] as const;
  for (const [options, expected] of cases)
    t.strictSame(
      revisionsOf(await collect(client.readStream('s', options))),
      expected,
      `${options.direction} from ${String(options.fromRevision)}`,
    );
});

test('a missing stream is not found', async (t) => {
  const { client } = await startStore(t);
  const error = await rejection(collect(client.readStream('nowhere')));
  t.equal(error['type'], 'stream-not-found');
  t.equal(error['streamName'], 'nowhere');
});

test('$all holds every event once, in order of position, system events included', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('one', events('X', 3));
  await client.appendToStream('two', events('Y', 300));
  const all = await collect(client.readAll());
  const positions = all.map((resolved) => resolved.event?.position.commit ?? 0n);
  t.ok(all[0]?.event?.streamId.startsWith('$$'), 'a system event comes first');
  t.equal(all.length, 304);
  t.strictSame(
    positions,
    [...new Set(positions)].sort((a, b) => Number(a - b)),
  );
});

test('$all is inclusive forwards and begins before the position backwards', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 5));
  const all = await collect(client.readAll());
  const third = all[2]?.event?.position ?? { commit: 0n, prepare: 0n };
  const ids = (resolved: typeof all) => resolved.map(({ event }) => event?.id);

  const forwards = await collect(client.readAll({ fromPosition: third }));
  t.strictSame(ids(forwards), ids(all.slice(2)));
  const backwards = await collect(client.readAll({ fromPosition: third, direction: BACKWARDS }));
  t.strictSame(ids(backwards), ids(all.slice(0, 2).reverse()));
  const last = await collect(
    client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 2 }),
  );
  t.strictSame(ids(last), ids(all.slice(-2).reverse()));
  t.strictSame(await collect(client.readAll({ fromPosition: END })), []);
  t.strictSame(await collect(client.readAll({ fromPosition: START, direction: BACKWARDS })), []);
});

test('large events are read in order, over many pages and in bounded steps', async (t) => {
  const { client } = await startStore(t);
  const text = 'x'.repeat(700_000);
  for (let n = 0; n < 6; n++)
    await client.appendToStream('large', jsonEvent({ type: 'Large', data: { n, text } }));
  await client.appendToStream('small', events('Small', 600));
  const large = await collect(client.readStream('large'));
  t.strictSame(revisionsOf(large), [0, 1, 2, 3, 4, 5]);
  t.ok(large.every(({ event }) => (event?.data as { text: string }).text === text));
  t.equal((await collect(client.readAll())).length, 607);
  t.equal((await collect(client.readAll({ direction: BACKWARDS, fromPosition: END }))).length, 607);
});

test('a reader that leaves early costs nothing further', async (t) => {
  const { client } = await startStore(t);
  await client.appendToStream('s', events('X', 2000));
  let seen = 0;
  for await (const { event } of client.readStream('s')) if (event && ++seen === 10) break;
  t.equal(seen, 10);
  await client.appendToStream('s', event('After'));
  t.equal((await collect(client.readStream('s', { fromRevision: 2000n }))).length, 1);
});

test('created never decreases along the log, over restarts too', async (t) => {
  const { client, store, folder } = await startStore(t);
  for (let n = 0; n < 20; n++) await client.appendToStream(`s-${n}`, event('X'));
  await store.close();
  const { client: later } = await startStore(t, folder);
  await later.appendToStream('s', event('X'));
  const times = (await collect(later.readAll())).map(({ event }) => event?.created.getTime() ?? 0);
  t.strictSame(
    times,
    [...times].sort((a, b) => a - b),
  );
});
