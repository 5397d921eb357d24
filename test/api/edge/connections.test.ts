import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { pino } from 'pino';
import { test, type Test } from 'tap';
import { buildApp, type Connections } from '../../../src/api/http/build-app.js';

const listening = async (t: Test, connections: Partial<Connections>) => {
  const app = await buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async () => undefined, verifyKey: () => undefined },
    routes: [
      async (routes) => {
        routes.get('/one', { config: { access: 'public' } }, async () => 'one');
      },
    ],
    connections,
    operations: [],
    version: 'test',
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
};

/** @returns the head of the answer; empty when there was none before the connection ended */
const ask = async (socket: Socket): Promise<string> => {
  const answered = once(socket, 'data').then(([chunk]) => String(chunk));
  const ended = once(socket, 'close').then(() => '');
  socket.write('GET /api/v1/one HTTP/1.1\r\nHost: here\r\n\r\n');
  return Promise.race([answered, ended]);
};

test('there is an end to connections, and one that ends makes room', async (t) => {
  const open = await listening(t, { most: 2 });
  const [first, second] = [await open(), await open()];
  t.match(await ask(first), /^HTTP\/1\.1 200/);
  t.match(await ask(second), /^HTTP\/1\.1 200/);
  t.equal(await ask(await open()), '', 'one too many is closed without an answer');
  const gone = once(first, 'close');
  first.end();
  await gone;
  t.match(await ask(await open()), /^HTTP\/1\.1 200/);
});

test('no connection serves for ever', async (t) => {
  const open = await listening(t, { requests: 2 });
  const socket = await open();
  t.match(await ask(socket), /^connection: keep-alive/im);
  t.match(await ask(socket), /^connection: close/im);
  t.match(await ask(socket), /^HTTP\/1\.1 503/, 'who goes on is not served');
});
