import Fastify from 'fastify';
import { test } from 'tap';
import { sendText } from '../../src/api/http/compression.js';

test('an answer that cannot be sent costs the others of its turn nothing', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  app.get('/broken', (_, reply) => {
    // Node refuses to write such a header.
    sendText(reply.header('x-broken', 'a\nb'), '{}');
  });
  app.get('/well', (_, reply) => {
    sendText(reply, '{"is":"well"}');
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const [broken, ...well] = await Promise.allSettled(
    ['/broken', '/well', '/well', '/well'].map((path) => fetch(origin + path)),
  );
  t.equal(broken?.status, 'rejected');
  for (const answer of well)
    t.equal(answer.status === 'fulfilled' && (await answer.value.text()), '{"is":"well"}');
});
