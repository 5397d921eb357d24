import { test } from 'tap';
import { ofrepApp, streamPath } from '../../support/ofrep-app.js';

const BULK = '/ofrep/v1/evaluate/flags';
const PAGE = 'https://shop.example.com';

test('a page of any origin may ask before it evaluates', async (t) => {
  const { app } = await ofrepApp(t);
  const headers = {
    origin: PAGE,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,if-none-match,x-api-key',
  };
  const asked = ['content-type', 'authorization', 'x-api-key', 'if-none-match', 'last-event-id'];
  for (const url of [BULK, `${BULK}/a`, '/api/v1/projects/p/environments/e/evaluate']) {
    const answer = await app.inject({ method: 'OPTIONS', url, headers });
    t.match(answer, {
      statusCode: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-methods': /POST/ },
    });
    const allowed = String(answer.headers['access-control-allow-headers']).split(', ');
    t.strictSame(
      asked.filter((name) => !allowed.includes(name)),
      [],
    );
  }
  const admin = await app.inject({ method: 'OPTIONS', url: '/api/v1/projects', headers });
  t.equal(admin.headers['access-control-allow-origin'], undefined, 'but not about commands');
});

test('a page may send what libraries for tracing add', async (t) => {
  const { app } = await ofrepApp(t);
  const asked = 'baggage,content-type,sentry-trace,traceparent,tracestate,x-api-key,x-b3-traceid';
  const preflight = (names: string) =>
    app.inject({
      method: 'OPTIONS',
      url: BULK,
      headers: {
        origin: PAGE,
        'access-control-request-method': 'POST',
        'access-control-request-headers': names,
      },
    });
  const { headers } = await preflight(asked);
  const allowed = String(headers['access-control-allow-headers']).split(/, ?/);
  t.strictSame(
    asked.split(',').filter((name) => !allowed.includes(name)),
    [],
  );
  t.match(headers, { vary: /Access-Control-Request-Headers/ }, 'caches keep them apart');
  const odd = await preflight('x-a: b;"');
  t.notMatch(odd.headers['access-control-allow-headers'], /x-a:/, 'what is no name is left out');
});

test('a page can read refusals too, and the headers it needs', async (t) => {
  const { app, keys } = await ofrepApp(t);
  const headers = { origin: PAGE, 'x-api-key': keys.client };
  const answer = await app.inject({ method: 'POST', url: BULK, headers });
  t.match(answer, {
    statusCode: 200,
    headers: { 'access-control-allow-origin': '*', 'access-control-expose-headers': /ETag, Retry/ },
  });
  const refused = await app.inject({ method: 'POST', url: BULK, headers: { origin: PAGE } });
  t.match(refused, { statusCode: 401, headers: { 'access-control-allow-origin': '*' } });
  const unknown = await app.inject({ url: '/ofrep/v1/events', headers: { origin: PAGE } });
  t.match(unknown, { statusCode: 401, headers: { 'access-control-allow-origin': '*' } });
});

test('only the origins that are allowed', async (t) => {
  const { app, keys } = await ofrepApp(t, { allowedOrigins: [PAGE, 'http://localhost:5173'] });
  const from = async (origin: string) => {
    const headers = { origin, 'x-api-key': keys.client };
    return (await app.inject({ method: 'POST', url: BULK, headers })).headers;
  };
  t.match(await from(PAGE), { 'access-control-allow-origin': PAGE, vary: 'Origin' });
  const other = await from('https://evil.example.com');
  t.equal(other['access-control-allow-origin'], undefined);
  t.equal(other.vary, 'Origin');
});

const OWN = 'https://admin.example.com';

const FOR_THE_INSTALLATION = [['*'], [PAGE]] as const;

for (const allowedOrigins of FOR_THE_INSTALLATION)
  test(`an environment has origins of its own, where the installation has ${allowedOrigins.join()}`, async (t) => {
    const ofrep = await ofrepApp(t, { allowedOrigins, ownOrigins: [OWN] });
    const { app, keys } = ofrep;
    const evaluate = (origin?: string) =>
      app.inject({
        method: 'POST',
        url: BULK,
        headers: { 'x-api-key': keys.client, ...(origin !== undefined && { origin }) },
      });

    t.match(await evaluate(OWN), {
      statusCode: 200,
      headers: { 'access-control-allow-origin': OWN, vary: 'Origin' },
    });
    const refused = await evaluate(PAGE);
    t.match(refused, { statusCode: 403, headers: { vary: 'Origin' } });
    t.equal(refused.headers['access-control-allow-origin'], undefined);
    t.equal((await evaluate()).statusCode, 200, 'programs have no origin');

    const preflight = (origin: string) =>
      app.inject({
        method: 'OPTIONS',
        url: BULK,
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    t.match(await preflight(OWN), { statusCode: 204 }, 'a preflight has no key');
    const unknown = (await preflight('https://evil.example.com')).headers;
    const everybody = allowedOrigins[0] === '*' ? '*' : undefined;
    t.equal(unknown['access-control-allow-origin'], everybody);

    const stream = await app.inject({ url: await streamPath(ofrep), headers: { origin: PAGE } });
    t.equal(stream.statusCode, 403, 'an event stream neither');
  });
