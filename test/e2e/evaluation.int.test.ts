import { test } from 'tap';
import { testService } from '../support/service.js';

type Recorded = Readonly<{ position: number }>;
type Evaluated = Readonly<{ position: number }>;

const PATH = '/projects/demo/environments/production/evaluate';
const FLAG = '/projects/demo/flags/checkout';
const PLACE = `${FLAG}/environments/production`;

test('evaluation over HTTP', async (t) => {
  const service = await testService(t);
  await service.post('/projects/demo/flags', { body: { key: 'checkout', type: 'boolean' } });
  const off = await service.post<Recorded>(`${PLACE}/targets/add`, {
    body: { variant: 'off', keys: ['anna'] },
  });
  const on = await service.post<Recorded>(`${PLACE}/enable`);
  const position = String(on.body.position);
  const options = { credential: service.serverKey, headers: { 'x-min-position': position } };
  const context = { targetingKey: 'anna', plan: { name: 'pro' } };

  await t.test('an application sees what was just written', async (t) => {
    const one = await service.get<Evaluated>(`${PATH}/checkout?targetingKey=anna`, options);
    t.match(one, {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: { flagKey: 'checkout', value: false, variant: 'off', reason: 'TARGETING_MATCH' },
    });
    t.ok(one.body.position >= on.body.position);
    t.equal(one.headers['x-position'], String(one.body.position));
    const posted = await service.post(`${PATH}/checkout`, { ...options, body: { context } });
    t.match(posted, { status: 200, body: one.body });
  });

  await t.test('all flags at once', async (t) => {
    const expected = { checkout: { value: true, variant: 'on', reason: 'DEFAULT' } };
    const got = await service.get(`${PATH}?targetingKey=bert&plan=pro&plan=max`, options);
    t.match(got, { status: 200, body: { flags: expected } });
    const body = { context: { targetingKey: 'bert' } };
    t.match(await service.post(PATH, { ...options, body }), { body: { flags: expected } });
  });

  await t.test('a flag that is not there is an answer', async (t) => {
    const answer = await service.get(`${PATH}/none`, options);
    t.match(answer, { status: 200, body: { reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' } });
    t.notOk(Object.hasOwn(answer.body as object, 'value'));
  });

  await t.test('an object has its members in one order, now and in the past', async (t) => {
    const value = { z: 1, aa: { d: 1, c: 2 }, b: [{ y: 1, x: 2 }] };
    const variants = [{ name: 'menu', value }];
    const body = { key: 'menu', type: 'object', variants };
    await service.post('/projects/demo/flags', { body });
    const served = await service.put<Recorded>(
      '/projects/demo/flags/menu/environments/production/fallthrough',
      { body: { variant: 'menu' } },
    );
    const enabled = await service.post<Recorded>(
      '/projects/demo/flags/menu/environments/production/enable',
    );
    t.equal(served.status, 200, served.text);
    const { position } = enabled.body;
    const seen = { ...options, headers: { 'x-min-position': String(position) } };
    await service.get('/projects/demo', { headers: seen.headers });
    const one = await service.get(`${PATH}/menu`, seen);
    t.match(one.text, '"value":{"aa":{"c":2,"d":1},"b":[{"x":2,"y":1}],"z":1}');
    const then = await service.get(`${PATH}/menu?position=${position}`, options);
    const upToPosition = ({ text }: typeof then): string | undefined =>
      text.split(',"position"')[0];
    t.equal(upToPosition(then), upToPosition(one));
    const file = '/projects/demo/environments/production/flagd.json';
    const [now, past] = [
      await service.get(file, seen),
      await service.get(`${file}?position=${position}`, options),
    ];
    t.equal(now.headers.etag, past.headers.etag);
    await service.post('/projects/demo/flags/menu/archive');
    await service.delete('/projects/demo/flags/menu');
  });

  await t.test('at a past moment it is what it was', async (t) => {
    const before = `position=${off.body.position}`;
    const headers = { 'x-min-position': String(off.body.position) };
    await service.get('/projects/demo', { headers });
    t.match(await service.get(`${PATH}/checkout?${before}`, options), {
      status: 200,
      body: { reason: 'DISABLED', variant: 'off', position: off.body.position },
    });
    const body = { context };
    t.match(await service.post(`${PATH}?${before}`, { ...options, body }), {
      body: { flags: { checkout: { reason: 'DISABLED' } } },
    });
  });

  const REFUSED = [
    [`${PATH}?at=2020-01-01T00:00:00Z`, 404, 'project-not-yet-created'],
    [`${PATH}?at=2099-01-01T00:00:00Z`, 422, 'moment-in-future'],
    [`${PATH}?at=yesterday`, 400, 'malformed-time'],
    [`${PATH}?position=9007199254740991`, 422, 'moment-in-future'],
    [`${PATH}?at=2020-01-01T00:00:00Z&position=1`, 400, 'several-moments'],
    ['/projects/demo/environments/none/evaluate', 404, 'environment-not-found'],
    ['/projects/demo/environments/staging/evaluate', 404, 'environment-not-found'],
    ['/projects/none/environments/production/evaluate', 404, 'environment-not-found'],
  ] as const;
  await t.test('what cannot be evaluated', async (t) => {
    t.plan(REFUSED.length + 1);
    for (const [path, status, code] of REFUSED)
      t.match(
        await service.get(path, options),
        { status, body: { type: `urn:chronoflag:problem:${code}`, detail: /\w{3}/ } },
        path,
      );
    const ahead = { headers: { 'x-min-position': '9007199254740991' } };
    t.match(await service.get(PATH, ahead), { status: 503 });
  });

  await t.test('names that every object has are only names', async (t) => {
    await service.post('/projects/demo/environments', { body: { key: 'constructor' } });
    const flag = '/projects/demo/flags/toString';
    await service.post('/projects/demo/flags', {
      body: {
        key: 'toString',
        type: 'object',
        variants: [
          { name: '__proto__', value: { constructor: 1 } },
          { name: 'hasOwnProperty', value: {} },
        ],
      },
    });
    const fallthrough = { split: [{ variant: '__proto__', percent: 100 }], bucketBy: 'valueOf' };
    await service.put(`${flag}/environments/constructor/fallthrough`, { body: fallthrough });
    const last = await service.post<Recorded>(`${flag}/environments/constructor/enable`);
    const headers = { 'x-min-position': String(last.body.position) };
    const path = '/projects/demo/environments/constructor/evaluate';
    const got = await service.get(`${path}/toString?valueOf=x&__proto__=y`, { headers });
    t.match(got.body, { variant: '__proto__', value: { constructor: 1 }, reason: 'SPLIT' });
    const none = await service.get(`${path}/valueOf`, { headers });
    t.match(none.body, { errorCode: 'FLAG_NOT_FOUND' });
    const list = await service.get('/projects/demo/flags?q=tostring', { headers });
    t.match(list.body, { items: [{ key: 'toString', enabled: { constructor: true } }] });
    const verified = await service.get('/projects/demo/verify', { headers });
    t.match(verified.body, { agree: true });
  });
});
