import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { testService } from '../support/service.js';

/** Sends bytes as they are. @returns what came back until the other side closed */
const exchange = async (url: string, bytes: string): Promise<string> => {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port) });
  await once(socket, 'connect');
  socket.write(bytes);
  return text(socket);
};

const isProblem = (status: number, code: string): RegExp =>
  new RegExp(
    `^HTTP/1\\.1 ${status} [\\s\\S]*application/problem\\+json[\\s\\S]*"urn:chronoflag:problem:${code}"`,
  );

const REQUEST = 'Host: here\r\nContent-Type: application/json\r\n';
const PATH = '/api/v1/projects/demo/environments/production/evaluate';

test('connections', async (t) => {
  const { url, serverKey } = await testService(t);

  await t.test('what is no HTTP gets a problem, and the connection ends', async (t) => {
    const method = await exchange(url, `FOO / HTTP/1.1\r\n${REQUEST}\r\n`);
    t.match(method, isProblem(400, 'malformed-request'));
    const lengths = 'Content-Length: 2\r\nContent-Length: 3\r\n';
    const twice = await exchange(url, `POST ${PATH} HTTP/1.1\r\n${REQUEST}${lengths}\r\n{}`);
    t.match(twice, isProblem(400, 'malformed-request'));
    const smuggled = `Content-Length: 2\r\nTransfer-Encoding: chunked\r\n`;
    const both = await exchange(url, `POST ${PATH} HTTP/1.1\r\n${REQUEST}${smuggled}\r\n{}`);
    t.match(both, isProblem(400, 'malformed-request'));
    const large = `X-Large: ${'x'.repeat(20_000)}\r\n`;
    const headers = await exchange(url, `GET / HTTP/1.1\r\n${REQUEST}${large}\r\n`);
    t.match(headers, isProblem(431, 'headers-too-large'));
    const path = await exchange(url, `GET /%zz HTTP/1.1\r\nConnection: close\r\n${REQUEST}\r\n`);
    t.match(path, isProblem(400, 'malformed-request'));
  });

  await t.test('a client that sends too slowly is let go', async (t) => {
    const startedAt = performance.now();
    const slowly = [
      `POST ${PATH} HTTP/1.1\r\n${REQUEST}X-Api-Key: ${serverKey}\r\nContent-Length: 100\r\n\r\n{"context":`,
      `POST ${PATH} HTTP/1.1\r\nHost: he`,
    ];
    const answers = await Promise.all(slowly.map((bytes) => exchange(url, bytes)));
    for (const answer of answers) t.match(answer, isProblem(408, 'request-timeout'));
    // Without limits of our own this would be 60 s, or never.
    t.ok(performance.now() - startedAt < 30_000, 'long before its own patience ends');
  });
});
