import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { type Test } from 'tap';

/** Lets so many bytes a second through. */
const throttle = (bytesPerSecond: number): Transform =>
  new Transform({
    transform: (chunk: Buffer, _, done) => {
      setTimeout(
        () => {
          done(null, chunk);
        },
        (chunk.length / bytesPerSecond) * 1000,
      );
    },
  });

/** A way to a service that can be made to refuse or to go silent. Closed when the test ends. */
export const tcpProxy = async (t: Test, target: string, bytesPerSecond = Infinity) => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isRefusing = false;
  let isFrozen = false;

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    if (isRefusing) client.destroy();
    // Accepted, and never answered: what a half-open peer looks like.
    if (isRefusing || isFrozen) return;
    const service = connect(Number(port), hostname);
    sockets.add(service);
    service.on('error', () => client.destroy());
    client.on('close', () => service.destroy());
    service.on('close', () => client.destroy());
    const answers = Number.isFinite(bytesPerSecond)
      ? service.pipe(throttle(bytesPerSecond))
      : service;
    client.pipe(service);
    answers.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    cut();
    server.close();
  });
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    refuse: (): void => {
      isRefusing = true;
      cut();
    },
    /** Connections stay, nothing moves on them any more. */
    freeze: (): void => {
      isFrozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    resume: (): void => {
      isRefusing = isFrozen = false;
      cut();
    },
  };
};
