import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { kurrentEventLog } from '../../src/infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { tcpProxy } from '../faults/support/tcp-proxy.js';
import { connectService, startStore } from '../support/event-store.js';
import { metadata } from '../support/metadata.js';
import { until } from '../support/until.js';

const happened = () => ({ type: 'Happened', data: {}, id: randomUUID() });

test('a connection that is never finished is not waited for', async (t) => {
  const { store } = await startStore(t);
  const proxy = await tcpProxy(Number(new URL(store.url).port));
  t.teardown(proxy.close);
  // Whatever dials now is accepted and hears nothing, for good; what dials later is well.
  await proxy.turn('silent');
  const url = `esdb://127.0.0.1:${proxy.port}?tls=false`;
  const connection = connectService(t, url, { timeoutMs: 500 });
  await t.rejects(connection.lease(), { name: 'EventStoreUnavailable' });
  await until('a connection is there that hears nothing', () => proxy.count() > 0);
  await proxy.turn('stale');
  await until('there is a client that answers', () =>
    connection.lease().then(
      () => true,
      () => false,
    ),
  );
  const events = kurrentEventStore(connection);
  const { revision } = await events.append('a', [happened()], {
    expectedRevision: -1,
    metadata: metadata('c1'),
  });
  t.equal(revision, 0);
});

test('a connection that dies without a word is replaced; what it carried ends with an error', async (t) => {
  const { store } = await startStore(t);
  const proxy = await tcpProxy(Number(new URL(store.url).port));
  t.teardown(proxy.close);
  const connection = connectService(t, `esdb://127.0.0.1:${proxy.port}?tls=false`);
  const events = kurrentEventStore(connection);
  const log = kurrentEventLog(connection);
  const append = (expectedRevision: number) =>
    events.append('a', [happened()], { expectedRevision, metadata: metadata('c1') });
  await append(-1);
  const following = log.subscribe(null, new AbortController().signal);
  const batches = following[Symbol.asyncIterator]();
  await batches.next();
  const { client } = await connection.lease();
  await proxy.turn('silent');
  const lost = append(0);
  const next = (async () => {
    for (;;) if ((await batches.next()).done === true) return;
  })();
  await t.rejects(lost, { name: 'AppendOutcomeUnknown' });
  await proxy.turn('stale');
  await t.rejects(next, /does not answer/, 'a subscription does not end as if all were read');
  await until('another client answers', async () => {
    const lease = await connection.lease().catch(() => undefined);
    return lease !== undefined && lease.client !== client;
  });
  const { revision } = await events.read('a');
  await append(revision);
  t.equal((await events.read('a')).revision, revision + 1);
});
