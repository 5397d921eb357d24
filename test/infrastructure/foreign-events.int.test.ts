import { randomUUID } from 'node:crypto';
import { binaryEvent, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import { foreignEvents } from '../../src/infrastructure/kurrent/foreign-events.js';
import { kurrentEventLog } from '../../src/infrastructure/kurrent/event-log.js';
import { type KurrentConnection } from '../../src/infrastructure/kurrent/connection.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { type LogBatch } from '../../src/projections/event-log.js';
import { connectService, startStore } from '../support/event-store.js';
import { metadataOf } from '../support/histories.js';
import { until } from '../support/until.js';
import { checkpointAt, type Rewrite, standInStore } from '../support/stand-in-store.js';

const FLAG = 'flag-acme:shop:a';

const ours = (type: string) => ({ id: randomUUID(), type, data: {} });

const appendOurs = async (connection: KurrentConnection, type: string): Promise<number> => {
  const store = kurrentEventStore(connection);
  const { revision } = await store.read(FLAG);
  const options = { expectedRevision: revision, metadata: metadataOf(1) };
  return Number((await store.append(FLAG, [ours(type)], options)).position);
};

/** What others write: into streams of their own, into streams that look like ours, and into ours. */
const neighbours = async (client: EventStoreDBClient): Promise<void> => {
  const bytes = Uint8Array.from([0, 1, 2, 255]);
  const put = (stream: string, type: string, metadata?: Record<string, unknown>) =>
    client.appendToStream(
      stream,
      jsonEvent({ type, data: { a: 1 }, ...(metadata && { metadata }) }),
    );
  await put('orders-1', 'OrderPlaced');
  await put('session-4711', 'UserLoggedIn');
  await put('flag-of:germany', 'Raised', { commandId: 'c', schemaVersion: 1 });
  await put('session-acme:anna', 'LoggedIn');
  await put('organization-acme', 'Renamed', { commandId: 'theirs' });
  await client.appendToStream('flag-acme:shop:b', [
    binaryEvent({ type: 'Picture', data: bytes }),
    binaryEvent({ type: 'Picture', data: bytes, metadata: bytes }),
  ]);
  await client.appendToStream(
    'flag-acme:shop:c',
    jsonEvent({ type: 'Null', data: {}, metadata: null as never }),
  );
  await client.appendToStream(FLAG, jsonEvent({ type: 'NotOurs', data: {} }));
  await client.tombstoneStream('flag-nobody:shop:x');
  await client.tombstoneStream('orders-2');
  await client.setStreamMetadata('flag-acme:shop:d', { maxCount: 5 });
};

/** Everything that a subscription delivers, until the test ends. */
const following = (t: Test, log: ReturnType<typeof kurrentEventLog>, after: number | null) => {
  const stopping = new AbortController();
  const batches: LogBatch[] = [];
  const outcome: { error?: unknown } = {};
  const running = (async () => {
    for await (const batch of log.subscribe(after, stopping.signal)) batches.push(batch);
  })().catch((error: unknown) => (outcome.error = error));
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  t.teardown(stop);
  return {
    stop,
    outcome,
    types: () => batches.flatMap(({ events }) => events.map(({ type }) => type)),
    position: () => batches.at(-1)?.position ?? -1,
    isLive: () => batches.at(-1)?.isCaughtUp === true,
  };
};

test('what is not ours is ignored, in streams that look like ours too', async (t) => {
  const { store: server } = await startStore(t);
  const connection = connectService(t, server.url);
  const { client } = await connection.lease();
  const said: string[] = [];
  const counted: string[] = [];
  const onForeign = foreignEvents(
    { warn: (details) => said.push((details as { stream: string }).stream) },
    (kind) => counted.push(kind),
  );
  const log = kurrentEventLog(connection, { onForeign });
  await appendOurs(connection, 'First');
  await neighbours(client);
  await appendOurs(connection, 'Second');
  const live = following(t, log, null);
  await until('caught up', live.isLive);
  const again = following(t, log, null);
  await neighbours(client).catch(() => undefined);
  const last = await appendOurs(connection, 'NotKnownYet');
  await until('all came', () => live.position() >= last && again.position() >= last);
  t.strictSame(live.types(), ['First', 'Second', 'NotKnownYet'], 'a type to come is ours');
  t.strictSame(again.types(), live.types());
  await Promise.all([live.stop(), again.stop()]);

  const read: string[] = [];
  for await (const batch of log.readForward(null, new AbortController().signal)) {
    read.push(...batch.events.map(({ type }) => type));
  }
  t.strictSame(read, live.types());
  t.ok(await log.isDeleted('flag-nobody:shop:x'));
  for (const stream of [FLAG, 'flag-nobody:shop:none']) t.notOk(await log.isDeleted(stream));
  t.ok((await log.head()) >= last);
  t.strictSame([...said].sort(), [...new Set(said)].sort(), 'each stream is named once');
  t.notOk(said.includes('orders-1'));
  t.strictSame(
    Object.fromEntries(
      ['deletion', 'system', 'stream', 'event'].map((kind) => [
        kind,
        counted.filter((one) => one === kind).length,
      ]),
    ),
    { deletion: 1, system: 0, stream: 4, event: 12 },
    'each event is counted once',
  );

  const store = kurrentEventStore(connection);
  const { events, revision } = await store.read(FLAG);
  t.strictSame(
    events.map((event) => [event.type, event.revision]),
    [
      ['First', 0],
      ['Second', 2],
      ['NotKnownYet', 4],
    ],
  );
  t.equal(revision, 4);
});

test('a stream of ours that somebody deleted for good is empty, and takes nothing', async (t) => {
  const { store: server, client } = await startStore(t);
  const connection = connectService(t, server.url);
  await appendOurs(connection, 'First');
  await client.tombstoneStream(FLAG);
  const store = kurrentEventStore(connection);
  t.strictSame(await store.read(FLAG), { events: [], revision: -1 });
  const options = { expectedRevision: -1, metadata: metadataOf(1) };
  await t.rejects(store.append(FLAG, [ours('Again')], options), { code: 'stream-deleted' });
});

/** KurrentDB 25.0.0: tells the place of the event that comes next, and here loses the connection before it. */
const tellsTheNext = (): Rewrite => {
  let isLive = false;
  return (answer) => {
    isLive ||= answer.hasCaughtUp();
    const event = answer.getEvent()?.getEvent();
    if (!isLive || event === undefined) return [answer];
    return [checkpointAt(BigInt(event.getCommitPosition())), 'cut'];
  };
};

/** KurrentDB 24.10: tells a place beyond all when a subscription from the beginning finds nothing. */
const tellsBeyondAll = (): Rewrite => (answer) =>
  answer.hasCaughtUp() ? [checkpointAt(2n ** 64n - 1n), answer] : [answer];

test('no event is skipped, whatever the server tells as a checkpoint', async (t) => {
  const { store } = await startStore(t);
  const connection = connectService(t, store.url);
  await appendOurs(connection, 'First');

  await t.test('the place of the next event', async (t) => {
    const url = await standInStore(t, store.port, tellsTheNext);
    const log = kurrentEventLog(connectService(t, url));
    const before = following(t, log, null);
    await until('live', before.isLive);
    await appendOurs(connection, 'KillSwitch');
    await until('the connection is lost', () => before.outcome.error !== undefined);
    t.strictSame(before.types(), ['First']);
    const after = following(t, log, Number(before.position()));
    await until('caught up', after.isLive);
    t.strictSame(after.types(), ['KillSwitch']);
  });

  await t.test('a place beyond all', async (t) => {
    const url = await standInStore(t, store.port, tellsBeyondAll);
    const live = following(t, kurrentEventLog(connectService(t, url)), null);
    await until('live', live.isLive);
    const position = await appendOurs(connection, 'Later');
    await until('delivered', () => live.position() >= position);
    t.equal(live.position(), position);
    t.strictSame(live.types(), ['First', 'KillSwitch', 'Later']);
  });
});
