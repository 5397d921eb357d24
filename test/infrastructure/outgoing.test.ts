import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import {
  boundedFetch,
  ProviderUnavailable,
} from '../../src/infrastructure/accounts/oidc-provider.js';
import { postJson } from '../../src/infrastructure/accounts/invitations.js';
import { until } from '../support/until.js';

/** So long these tests wait for an answer that never comes. */
const PATIENCE_MS = 100;

const listening = async (t: Test, listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

test('what others answer', async (t) => {
  let arrived = 0;
  let open = 0;
  const inside = await listening(t, (_, response) => {
    arrived += 1;
    response.end();
  });
  const outside = await listening(t, (request, response) => {
    open += 1;
    response.on('close', () => (open -= 1));
    if (request.url === '/moved') response.writeHead(307, { location: inside }).end();
    if (request.url !== '/endless') return;
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  const isLetGo = (): Promise<void> => until('the connection is closed', () => open === 0);

  await t.test('is not followed elsewhere', async (t) => {
    await t.rejects(postJson(`${outside}/moved`, {}), { message: /307/ });
    t.equal((await boundedFetch(`${outside}/moved`, {})).status, 307);
    t.equal(arrived, 0);
  });

  await t.test('is not read without end', async (t) => {
    await postJson(`${outside}/endless`, {}, { answerMs: 600_000 });
    await isLetGo();
    await t.rejects(boundedFetch(`${outside}/endless`, {}), { message: /too long/ });
    await isLetGo();
  });

  await t.test('is not waited for without end', async (t) => {
    await t.rejects(postJson(`${outside}/never`, {}, { answerMs: PATIENCE_MS }));
    const late = boundedFetch(`${outside}/never`, {}, PATIENCE_MS);
    await t.rejects(late, ProviderUnavailable);
    await isLetGo();
  });
});
