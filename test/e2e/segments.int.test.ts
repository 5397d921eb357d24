import { test } from 'tap';
import { testService } from '../support/service.js';

type Body = Readonly<Record<string, unknown>>;
type Done = Readonly<{ position: number; revision: number }>;
type Items = Readonly<{ items: readonly Body[] }>;

const SEGMENT = '/projects/demo/segments/friends';
const PLACE = '/projects/demo/flags/party/environments/production';
const STAFF = [{ attribute: 'email', operator: 'endsWith', values: ['@a.org'] }];

test('segments', async (t) => {
  const { post, put, patch, get, delete: remove } = await testService(t);
  const created = await post<Done>('/projects/demo/segments', {
    body: { key: 'friends', name: 'Friends', included: ['anna'], tags: ['qa'] },
  });
  const ruled = await post<Done>(`${SEGMENT}/rules`, { body: { id: 'staff', clauses: STAFF } });
  await post('/projects/demo/flags', { body: { key: 'party', type: 'boolean' } });
  await post('/projects/demo/segments', { body: { key: 'outer' } });
  await put('/projects/demo/segments/outer/rules', {
    body: { rules: [{ id: 'in', clauses: [{ segments: ['friends'], negate: false }] }] },
  });
  const used = await put<Done>(`${PLACE}/rules`, {
    body: {
      rules: [{ id: 'friends', clauses: [{ segments: ['friends'] }], serve: { variant: 'on' } }],
    },
  });
  const seen = { headers: { 'x-min-position': String(used.body.position) } };

  await t.test('are answered as they are and as they were, from both sources', async (t) => {
    const now = await get<Body>(SEGMENT, seen);
    t.equal(now.headers.etag, '"1"');
    t.match(now.body, {
      project: 'demo',
      key: 'friends',
      status: 'active',
      included: ['anna'],
      rules: [{ id: 'staff', clauses: STAFF, description: '' }],
    });
    for (const moment of ['revision=0', `position=${created.body.position}`]) {
      const then = await get<Body>(`${SEGMENT}?${moment}`);
      t.match(then.body, { revision: 0, rules: [], heldUntil: { position: ruled.body.position } });
      t.strictSame((await get(`${SEGMENT}?${moment}&source=log`)).body, then.body);
    }
    t.equal((await get(`${SEGMENT}?position=1`)).status, 404);
    t.equal((await get('/projects/demo/segments/nobody')).status, 404);
  });

  await t.test('are listed', async (t) => {
    const keys = async (query: string) => {
      const { body } = await get<Items>(`/projects/demo/segments?${query}`);
      return body.items.map(({ key }) => key);
    };
    t.strictSame(await keys(''), ['friends', 'outer']);
    t.strictSame(await keys('tag=qa'), ['friends']);
    t.strictSame(await keys('q=RIEND'), ['friends']);
    t.strictSame(await keys('status=deleted'), []);
    t.strictSame(await keys(`position=${created.body.position}`), ['friends']);
    const { body } = await get<Items>('/projects/demo/segments?limit=1');
    t.match(body.items, [{ key: 'friends', included: 1, excluded: 0, rules: 1 }]);
  });

  await t.test('have a history with what each event changed', async (t) => {
    const { body } = await get<Items>(`${SEGMENT}/history?order=asc`);
    t.match(body.items, [
      { type: 'SegmentCreated', changes: [{ text: /^created as "Friends" with 1 included/ }] },
      {
        type: 'SegmentRulesChanged',
        changes: [{ text: 'rule "staff" added: email ends with "@a.org"' }],
      },
    ]);
    const diff = await get<Body>(`${SEGMENT}/diff?from=revision:0`);
    t.match(diff.body['changes'], [{ path: '/rules/staff' }]);
    const place = '/projects/demo/environments/production';
    const seenThere = await get<Body>(`${place}/diff?from=position:${created.body.position}`);
    t.match(seenThere.body['segments'], [
      { key: 'friends', fromRevision: 0, toRevision: 1, changes: [{ path: '/rules/staff' }] },
      { key: 'outer', fromRevision: null },
    ]);
    const audit = await get<Items>('/audit?segment=friends');
    t.equal(audit.body.items.length, 2);
    const reserved = await get<Items>('/audit?category=dependencies');
    t.match(reserved.body.items[0], { type: 'DependencyReserved', project: 'demo' });
  });

  await t.test('tell who uses them, and are not deleted meanwhile', async (t) => {
    const { body } = await get<Body>(`${SEGMENT}/usage`);
    t.match(body, {
      segment: 'friends',
      flags: [{ flag: 'party', status: 'active', environment: 'production', rules: ['friends'] }],
      segments: [{ segment: 'outer', rules: ['in'] }],
    });
    t.strictSame((await get(`${SEGMENT}/usage?source=log`)).body, body);
    const then = await get<Body>(`${SEGMENT}/usage?position=${created.body.position}`);
    t.match(then.body, { flags: [], segments: [] });
    const refused = await remove<Body>(SEGMENT);
    t.match(refused, {
      status: 409,
      body: {
        type: 'urn:chronoflag:problem:segment-in-use',
        detail: /used by segment 'outer', flag 'party' \(production\)/,
      },
    });
  });

  await t.test('are in the whole state of the project, and in its verification', async (t) => {
    const { body } = await get<Readonly<{ segments: readonly Body[] }>>('/projects/demo/state');
    t.match(body.segments, [{ key: 'friends' }, { key: 'outer' }]);
    t.match((await get<Body>('/projects/demo/verify')).body, { agree: true, segmentsChecked: 2 });
    const rows = await get<Items>('/projects/demo/flags/party/history');
    t.match(rows.body.items[0], {
      changes: [
        {
          path: '/environments/production/rules/friends',
          text: 'production: rule "friends" added: is in segment "friends" → variant "on"',
        },
      ],
    });
  });

  await t.test('come back after their deletion', async (t) => {
    await put(`${PLACE}/rules`, { body: { rules: [] } });
    await remove('/projects/demo/segments/outer');
    await patch(SEGMENT, { body: { name: 'Pals' } });
    const gone = await remove<Done>(SEGMENT);
    t.equal(gone.status, 200);
    const after = { headers: { 'x-min-position': String(gone.body.position) } };
    t.match((await get<Body>(SEGMENT, after)).body, { status: 'deleted', name: 'Pals' });
    const back = await post<Done>(`${SEGMENT}/restore`, { body: { revision: 1 } });
    const restored = { headers: { 'x-min-position': String(back.body.position) } };
    t.match((await get<Body>(SEGMENT, restored)).body, { status: 'active', name: 'Friends' });
  });

  await t.test('refuse what means nothing, and say where', async (t) => {
    const clauses = [{ attribute: 'email', operator: 'matches', values: ['a(b'] }];
    const refused = await post<Body>(`${SEGMENT}/rules`, { body: { clauses } });
    t.match(refused, { status: 422, body: { type: 'urn:chronoflag:problem:invalid-regex' } });
    const both = { included: ['x'], excluded: ['x'] };
    const twice = await put<Body>(`${SEGMENT}/keys`, { body: both });
    t.match(twice.body, { type: 'urn:chronoflag:problem:duplicate-segment-key' });
  });
});
