import { test } from 'tap';
import { type Answer } from '../../support/http-client.js';
import { PASSWORD, registerOwner } from '../../support/people.js';
import { testService } from '../../support/service.js';

const CSRF = { 'x-chronoflag-csrf': '1' };
const OWN_PAGE = { ...CSRF, 'sec-fetch-site': 'same-origin' };

const pairsIn = (answer: Answer): string =>
  (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1).join()).join('; ');

test('sessions of web pages', async (t) => {
  const service = await testService(t);
  const { host, origin } = new URL(service.url);
  const owner = await registerOwner(service, 'browser');
  const body = {
    organization: owner.organizationId,
    email: owner.email,
    password: PASSWORD,
    cookies: true,
  };
  const login = (headers: Readonly<Record<string, string>>): Promise<Answer> =>
    service.post('/auth/login', { credential: null, body, headers });
  const page = await login(OWN_PAGE);
  const cookie = pairsIn(page);
  const change = (headers: Readonly<Record<string, string>>): Promise<Answer> =>
    service.post('/projects', {
      credential: null,
      body: { key: 'web', name: 'Web', environments: [] },
      headers: { cookie, ...headers },
    });

  await t.test('the tokens are in cookies that no script can read, and nowhere else', async (t) => {
    t.equal(page.status, 200);
    t.notMatch(page.text, /eyJ|cf_ref_/);
    const [access = '', refresh = ''] = page.headers['set-cookie'] ?? [];
    t.match(
      access,
      /^__Host-chronoflag-access=[^;]+; Max-Age=900; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    t.match(
      refresh,
      /^__Secure-chronoflag-refresh=[^;]+; Max-Age=1209600; Path=\/api\/v1\/auth; HttpOnly; Secure; SameSite=Strict$/,
    );
  });

  await t.test('they let a page read', async (t) => {
    const { status } = await service.get('/auth/sessions', {
      credential: null,
      headers: { cookie },
    });
    t.equal(status, 200);
  });

  const FOREIGN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'nothing that says where from': {},
    'only the header': CSRF,
    'a page of another site': { ...CSRF, 'sec-fetch-site': 'cross-site' },
    'a page of a neighbour': { ...CSRF, 'sec-fetch-site': 'same-site' },
    'an address that was typed in': { ...CSRF, 'sec-fetch-site': 'none' },
    'a form of our own page': { 'sec-fetch-site': 'same-origin' },
    'a foreign origin': { ...CSRF, origin: 'https://evil.example.com' },
    'an origin that begins like ours': { ...CSRF, origin: `${origin}.evil.example.com` },
    'no origin': { ...CSRF, origin: 'null' },
    'our origin, but another site': { ...CSRF, origin, 'sec-fetch-site': 'cross-site' },
  };

  await t.test('what changes something must come from a page of our own', async (t) => {
    t.plan(Object.keys(FOREIGN).length * 2 + 2);
    for (const [name, headers] of Object.entries(FOREIGN)) {
      t.equal((await change(headers)).status, 403, name);
      t.equal((await login(headers)).status, 403, `${name}: nobody is logged in unasked`);
    }
    t.equal((await change({ ...CSRF, origin })).status, 201, 'an older browser');
    t.not((await change(OWN_PAGE)).status, 403);
  });

  await t.test('a form and plain text of another site change nothing', async (t) => {
    t.plan(3);
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
    ]) {
      const { status } = await service.post('/projects', {
        credential: null,
        raw: '{"key":"web"}',
        headers: { cookie, host, 'content-type': type, origin: 'https://evil.example.com' },
      });
      t.equal(status, 403, type);
    }
  });

  await t.test('a credential in a header is the one that counts, and needs no proof', async (t) => {
    const wrong = await service.get('/auth/sessions', { credential: 'wrong', headers: { cookie } });
    t.equal(wrong.status, 401);
    const right = await service.post('/projects', {
      body: { key: 'by-header', name: 'By header', environments: [] },
      headers: { cookie },
    });
    t.equal(right.status, 201);
  });

  await t.test('a page of another origin may read nothing with cookies', async (t) => {
    const headers = { cookie, origin: 'https://evil.example.com' };
    const path = '/projects/demo/environments/production/evaluate';
    for (const url of ['/auth/sessions', path]) {
      const answer = await service.get(url, { credential: null, headers });
      t.equal(answer.headers['access-control-allow-credentials'], undefined);
      t.not(answer.headers['access-control-allow-origin'], headers.origin);
    }
  });

  await t.test('a page refreshes and logs out by its cookies', async (t) => {
    const refresh = (headers: Readonly<Record<string, string>>) =>
      service.post('/auth/refresh', {
        credential: null,
        body: {},
        headers: { cookie, ...headers },
      });
    t.equal((await refresh({})).status, 403);
    const refreshed = await refresh(OWN_PAGE);
    t.equal(refreshed.status, 200);
    t.notMatch(refreshed.text, /eyJ|cf_ref_/);
    const fresh = pairsIn(refreshed);
    t.not(fresh, cookie);
    const left = await service.post('/auth/logout', {
      credential: null,
      headers: { ...OWN_PAGE, cookie: fresh },
    });
    t.equal(left.status, 200);
    t.strictSame(pairsIn(left), '__Host-chronoflag-access=; __Secure-chronoflag-refresh=');
    const { status } = await service.get('/auth/sessions', {
      credential: null,
      headers: { cookie: fresh },
    });
    t.equal(status, 401);
  });
});
