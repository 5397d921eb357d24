import { Readable } from 'node:stream';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../../src/api/http/build-app.js';
import { ofrepApp } from '../../support/ofrep-app.js';
import { aRuleset } from '../../support/rulesets.js';

const BULK = '/ofrep/v1/evaluate/flags';
const MANY = Array.from({ length: 150 }, (_, nth) => aRuleset(`flag-${nth}`));
const DECODE = { gzip: gunzipSync, br: brotliDecompressSync } as const;

test('all flags are compressed as the client takes them, when they are many', async (t) => {
  const { app, keys, publish } = await ofrepApp(t, { rulesets: MANY });
  const ask = (headers: Readonly<Record<string, string>>) =>
    app.inject({
      method: 'POST',
      url: BULK,
      headers: { 'x-api-key': keys.server, ...headers },
      payload: { context: {} },
    });
  const plain = await ask({});
  t.match(plain.headers, { vary: 'Accept-Encoding', etag: /^"/ });
  t.notOk('content-encoding' in plain.headers);

  for (const [accepted, coding] of [
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['br;q=0.1, gzip;q=0.5', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *;q=0.5', 'gzip'],
  ] as const) {
    for (const nth of ['first', 'again']) {
      const answer = await ask({ 'accept-encoding': accepted });
      t.match(answer.headers, {
        'content-encoding': coding,
        vary: 'Accept-Encoding',
        etag: `W/${String(plain.headers.etag)}`,
        'content-length': String(answer.rawPayload.length),
      });
      t.ok(answer.rawPayload.length * 10 < plain.body.length, `${accepted} is small, ${nth}`);
      t.equal(String(DECODE[coding](answer.rawPayload)), plain.body);
    }
  }
  for (const accepted of ['identity', 'gzip;q=0', 'zstd', '', ';;']) {
    const answer = await ask({ 'accept-encoding': accepted });
    t.equal(answer.body, plain.body, accepted);
    t.notOk('content-encoding' in answer.headers, accepted);
  }

  await t.test('who has it gets 304', async (t) => {
    for (const etag of [`W/${String(plain.headers.etag)}`, String(plain.headers.etag)]) {
      const answer = await ask({ 'accept-encoding': 'gzip', 'if-none-match': etag });
      t.match(answer, { statusCode: 304, body: '' });
      t.notOk('content-encoding' in answer.headers);
      t.notOk('content-length' in answer.headers);
    }
  });

  await t.test('few are sent as they are', async (t) => {
    publish(MANY.slice(0, 10));
    const answer = await ask({ 'accept-encoding': 'gzip, br' });
    t.equal(answer.json<{ flags: readonly unknown[] }>().flags.length, 10);
    t.notOk('content-encoding' in answer.headers);
  });
});

test('bodies may come compressed, up to the same size', async (t) => {
  const { app, keys } = await ofrepApp(t, { rulesets: MANY.slice(0, 2) });
  const post = (payload: Buffer, coding: string) =>
    app.inject({
      method: 'POST',
      url: BULK,
      headers: {
        'x-api-key': keys.server,
        'content-type': 'application/json',
        'content-encoding': coding,
      },
      payload,
    });
  const text = '{"context":{"plan":"pro"}}';
  for (const [coding, body] of [
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['BR', brotliCompressSync(text)],
    ['identity', Buffer.from(text)],
  ] as const)
    t.equal((await post(body, coding)).statusCode, 200, coding);
  for (const [what, coding, body, status, errorCode] of [
    ['an unknown coding', 'zstd', Buffer.from(text), 415, 'GENERAL'],
    ['two codings', 'gzip, br', gzipSync(text), 415, 'GENERAL'],
    ['the name of a method', 'constructor', Buffer.from(text), 415, 'GENERAL'],
    ['what is not gzip', 'gzip', Buffer.from(text), 400, 'PARSE_ERROR'],
    ['half of it', 'gzip', gzipSync(text).subarray(0, 20), 400, 'PARSE_ERROR'],
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(50_000_000, ' ')), 413, 'GENERAL'],
  ] as const) {
    const answer = await post(body, coding);
    t.match(answer, { statusCode: status }, what);
    t.match(answer.json(), { errorCode, errorDetails: /\w{3}/ }, what);
  }
});

const LARGE = { items: Array.from({ length: 1_000 }, (_, nth) => ({ nth, text: 'the same' })) };

test('large answers of other routes', async (t) => {
  const app = await buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async () => undefined, verifyKey: () => undefined },
    routes: [
      async (routes) => {
        const config = { access: 'public' } as const;
        routes.get('/large', { config }, async (_, reply) =>
          reply.header('etag', '"7"').send(LARGE),
        );
        routes.get('/small', { config }, async () => ({ items: [] }));
        routes.get('/lines', { config }, async (_, reply) =>
          reply.type('application/x-ndjson').send(Readable.from(['{"a":1}\n', '{"a":2}\n'])),
        );
        routes.get('/bytes', { config }, async (_, reply) =>
          reply.type('application/octet-stream').send(Buffer.alloc(100_000)),
        );
        routes.post('/taken', { config, schema: { body: {} } }, async ({ body }) => ({ body }));
      },
    ],
    operations: [],
    version: 'test',
  });
  t.teardown(() => app.close());
  const ask = (path: string, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ method, url: `/api/v1/${path}`, headers: { 'accept-encoding': 'gzip' } });

  const large = await ask('large');
  t.match(large.headers, { 'content-encoding': 'gzip', vary: 'Accept-Encoding', etag: 'W/"7"' });
  t.strictSame(JSON.parse(String(gunzipSync(large.rawPayload))), LARGE);
  const lines = await ask('lines');
  t.equal(lines.headers['content-encoding'], 'gzip');
  t.equal(String(gunzipSync(lines.rawPayload)), '{"a":1}\n{"a":2}\n');
  for (const path of ['small', 'bytes'])
    t.notOk('content-encoding' in (await ask(path)).headers, `${path} is sent as it is`);
  const head = await ask('large', 'HEAD');
  t.match(head, { statusCode: 200, body: '', headers: { vary: 'Accept-Encoding' } });
  const docs = await app.inject({
    url: '/docs/static/swagger-ui.css',
    headers: { 'accept-encoding': 'br' },
  });
  t.match(docs, { statusCode: 200, headers: { 'content-encoding': 'br' } });
  t.match(String(brotliDecompressSync(docs.rawPayload)), /\.swagger-ui/);

  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const sent = { method: 'POST', url: '/api/v1/taken', headers } as const;
  const taken = await app.inject({ ...sent, payload: gzipSync('{"a":1}') });
  t.strictSame(taken.json(), { body: { a: 1 } });
  const bomb = await app.inject({ ...sent, payload: gzipSync(Buffer.alloc(2_000_000, ' ')) });
  t.match(bomb.json(), { status: 413, type: /body-too-large/ });
});
