// A Fastify application with one route that sends as many bytes as one evaluation has. Tells its parent its URL.
import Fastify from 'fastify';

const app = Fastify();
app.get('/', (_, reply) => {
  void reply
    .header('content-type', 'application/json; charset=utf-8')
    .send('{"key":"flag-0","value":true,"variant":"on","reason":"STATIC","position":123456}');
});
const port = Number(process.env['BARE_PORT'] ?? 0);
const url = await app.listen({ port, host: '127.0.0.1' });
process.send?.(url);
process.once('disconnect', () => {
  process.exit(0);
});
