import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../../src/api/http/build-app.js';
import { ofrepApp } from '../../support/ofrep-app.js';

const appWith = (isEncrypted: boolean) =>
  buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async () => undefined, verifyKey: () => undefined },
    routes: [
      async (routes) => {
        routes.get('/one', { config: { access: 'public' } }, async () => ({ one: 1 }));
      },
    ],
    isEncrypted,
    operations: [],
    version: 'test',
  });

const CAREFUL = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': /^default-src 'none'; .*frame-ancestors 'none'$/,
};

test('answers are not kept, sniffed, framed or run; refusals neither', async (t) => {
  const app = await appWith(false);
  t.teardown(() => app.close());
  const answered = await app.inject('/api/v1/one');
  t.match(answered, { statusCode: 200, headers: { ...CAREFUL, 'cache-control': 'no-store' } });
  t.notOk('strict-transport-security' in answered.headers, 'not without TLS');
  const unknown = await app.inject('/api/v1/none');
  t.match(unknown, { statusCode: 404, headers: { ...CAREFUL, 'cache-control': 'no-store' } });
});

test('the page of the documentation runs only what comes from here', async (t) => {
  const app = await appWith(false);
  t.teardown(() => app.close());
  const page = await app.inject('/docs/');
  const policy = String(page.headers['content-security-policy']);
  t.match(page, { statusCode: 200, headers: CAREFUL });
  t.match(policy, /script-src 'self'(;|$)/);
  t.notMatch(page.body, /<script(?![^>]*\ssrc=)|\son\w+=/i, 'it has no script of its own');
  t.notMatch(page.body, /(?:src|href)="(?:https?:)?\/\//, 'nor anything from elsewhere');
});

test('with TLS browsers are told to stay with it', async (t) => {
  const app = await appWith(true);
  t.teardown(() => app.close());
  for (const path of ['/api/v1/one', '/docs/'])
    t.match(await app.inject(path), { headers: { 'strict-transport-security': /^max-age=\d{8}/ } });
});

test('evaluations are spared', async (t) => {
  const { app, keys } = await ofrepApp(t);
  const { headers, statusCode } = await app.inject({
    method: 'POST',
    url: '/ofrep/v1/evaluate/flags',
    headers: { 'x-api-key': keys.server },
    payload: { context: {} },
  });
  t.equal(statusCode, 200);
  t.strictSame(
    Object.keys(headers).filter((name) => name in CAREFUL),
    [],
  );
});
