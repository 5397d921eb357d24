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
const SLOW_CLIENTS = 1_000;
const LOGINS = 200;
const PATH = '/api/v1/projects/demo/environments/production/evaluate';

/** Asks again and again, one after the other, while something else goes on. */
const whileGoing = async (
  isGoing: () => boolean,
  ask: () => Promise<Readonly<{ status: number }>>,
): Promise<ReadonlySet<number>> => {
  const found = new Set<number>();
  while (isGoing()) found.add((await ask()).status);
  return found;
};

test('connections', async (t) => {
  const { url, serverKey, send } = await testService(t);
  const evaluate = () => send('GET', PATH, { credential: serverKey });

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

  await t.test(
    'clients that send too slowly are let go, and hold up nobody meanwhile',
    async (t) => {
      const slowly = [
        `POST ${PATH} HTTP/1.1\r\n${REQUEST}X-Api-Key: ${serverKey}\r\nContent-Length: 100\r\n\r\n{"context":`,
        `POST ${PATH} HTTP/1.1\r\nHost: he`,
      ];
      let left = 0;
      const answers = Array.from({ length: SLOW_CLIENTS }, async (_, nth) => {
        left += 1;
        const answer = await exchange(url, slowly[nth % slowly.length] ?? '');
        left -= 1;
        return answer;
      });
      const evaluated = await evaluate();
      t.match([evaluated.status, left], [200, SLOW_CLIENTS], 'all of them are still waiting');
      const evaluations = whileGoing(() => left > 0, evaluate);
      // Without limits of our own they would stay for minutes: longer than the test may take.
      const told = await Promise.all(answers);
      const inTime = told.filter((answer) => isProblem(408, 'request-timeout').test(answer));
      t.equal(inTime.length, SLOW_CLIENTS);
      t.strictSame(await evaluations, new Set([200]), 'evaluation goes on');
    },
  );

  await t.test('a flood of logins is answered, and holds up no evaluation', async (t) => {
    const body = JSON.stringify({
      organization: 'default',
      email: 'nobody@example.com',
      password: 'a lantern over the sea',
    });
    let left = LOGINS;
    const logIn = async (): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers, body });
      await answer.arrayBuffer();
      left -= 1;
      return answer.status;
    };
    const evaluations = whileGoing(() => left > 0, evaluate);
    const told = await Promise.all(Array.from({ length: LOGINS }, logIn));
    t.ok(told.includes(401), 'some passwords were looked at');
    t.strictSame(
      told.filter((status) => ![401, 503].includes(status)),
      [],
      'the others are told to come again',
    );
    t.strictSame(await evaluations, new Set([200]));
  });
});
