import { test } from 'tap';
import { ofrepApp } from '../../support/ofrep-app.js';

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
