import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { test } from 'tap';
import { deliverInvitation } from '../../../src/infrastructure/accounts/invitations.js';

const message = {
  organizationId: 'acme-abc123',
  invitationId: 'invited00000',
  email: 'bert@example.com',
  expiresAt: '2026-11-28T12:00:00.000Z',
  token: 'cf_inv_token',
  link: 'http://127.0.0.1:3000/api/v1/invitations/accept#cf_inv_token',
};

const collected = () => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  return { lines, log };
};

test('without a webhook the link is logged', async (t) => {
  const { lines, log } = collected();
  await deliverInvitation(undefined, log)(message);
  t.equal(lines.length, 1);
  t.match(lines[0], message.link);
  t.match(lines[0], message.email);
});

test('a webhook gets all of it, again until it takes it, and the log no token', async (t) => {
  const { lines, log } = collected();
  const received: string[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((parts) => {
      received.push(Buffer.concat(parts as Buffer[]).toString());
      response.writeHead(received.length === 1 ? 500 : 204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  await deliverInvitation(`http://127.0.0.1:${port}/`, log)(message);
  t.strictSame(
    received.map((text) => JSON.parse(text) as unknown),
    [message, message],
  );
  t.match(lines, [/"invitationId":"invited00000"/]);
  t.notMatch(lines.join(), message.token);
});
