import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect as connectTo } from 'node:net';
import { text } from 'node:stream/consumers';
import { BACKWARDS, END } from '@eventstore/db-client';
import { test } from 'tap';
import { collect, connect, event, startStore } from '../../support/event-store.js';

type Asked = Readonly<{ method?: string; agent?: Agent; headers?: Record<string, string> }>;

const ask = async (url: string, path: string, asked: Asked = {}) => {
  const target = `http://${new URL(url).host}${path}`;
  const outgoing = request(target, asked).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const { statusCode: status, headers } = answer;
  return { status, headers, body: await text(answer) };
};

test('the pages that operators look at, on the port of the store', async (t) => {
  const { store, client } = await startStore(t);
  const { nextExpectedRevision } = await client.appendToStream('s', event('X'));
  t.equal(nextExpectedRevision, 0n);

  for (const method of ['GET', 'HEAD']) {
    const { status, body } = await ask(store.url, '/health/live', { method });
    t.strictSame({ status, body }, { status: 204, body: '' });
  }
  t.equal((await ask(store.url, '/health/live?liveCode=200')).status, 200);
  t.equal((await ask(store.url, '/health/live?liveCode=x')).status, 204);
  t.equal((await ask(store.url, '/health/live', { method: 'PUT' })).status, 405);
  for (const path of ['/', '/health', '/health/dead', '/streams/s'])
    t.equal((await ask(store.url, path)).status, 404, path);

  const info = await ask(store.url, '/info');
  t.match(info.headers['content-type'], 'application/json');
  t.match(JSON.parse(info.body), { esVersion: '24.10.0', state: 'leader', features: {} });
  t.equal((await ask(store.url, '/info', { method: 'POST' })).status, 405);

  const gossip = await ask(store.url, '/gossip', { headers: { host: 'store.example:1234' } });
  const [all] = await collect(
    client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }),
  );
  t.match(JSON.parse(gossip.body), {
    members: [
      {
        state: 'Leader',
        isAlive: true,
        httpEndPointIp: 'store.example',
        httpEndPointPort: 1234,
        lastCommitPosition: Number(all?.event?.position.commit),
      },
    ],
    serverIp: 'store.example',
  });
});

test('a client that sends its first bytes one by one is understood', async (t) => {
  const { store } = await startStore(t);
  const { hostname, port } = new URL(store.url);
  for (const [request_, answer] of [
    ['GET /health/live HTTP/1.1\r\nhost: s\r\n\r\n', /^HTTP\/1.1 204/],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', /^\0\0[^]\x04\0/], // settings and settings
  ] as const) {
    const socket = connectTo({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    for (const byte of request_) {
      socket.write(byte, 'latin1');
      await new Promise(setImmediate);
    }
    const [first] = (await once(socket, 'data')) as [Buffer];
    t.match(first.toString('latin1'), answer);
    socket.destroy();
  }
});

test('the store stops with connections open that ask nothing', async (t) => {
  const { store } = await startStore(t);
  const agent = new Agent({ keepAlive: true });
  await ask(store.url, '/info', { agent });
  const { hostname, port } = new URL(store.url);
  const silent = connectTo(Number(port), hostname);
  await once(silent, 'connect');
  const ended = once(silent.resume(), 'close');
  await store.close();
  await ended;
});

test('localhost is all addresses of it, and gossip leads to it', async (t) => {
  const { store, client } = await startStore(t, undefined, { host: 'localhost' });
  await client.appendToStream('s', event('X'));
  const discovering = connect(t, `esdb+discover://127.0.0.1:${store.port}?tls=false`);
  t.equal((await discovering.appendToStream('s', event('X'))).nextExpectedRevision, 1n);
  t.equal((await ask(`esdb://127.0.0.1:${store.port}`, '/health/live')).status, 204);
});
