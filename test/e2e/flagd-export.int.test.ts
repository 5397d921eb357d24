import { test } from 'tap';
import { testService } from '../support/service.js';

type Report = Readonly<{ flags: readonly Readonly<{ position: number }>[] }>;

const PATH = '/projects/demo/environments/production/flagd.json';

const FILE = {
  flags: {
    one: {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: { if: [{ ends_with: [{ var: 'email' }, '@example.com'] }, 'on', null] },
    },
  },
};

test('an environment as a flagd file', async (t) => {
  const service = await testService(t);
  const { body } = await service.post<Report>('/projects/demo/import', { body: FILE });
  const position = String(Math.max(...body.flags.map((flag) => flag.position)));
  const minimum = { 'x-min-position': position };

  const first = await service.get<{ flags: object }>(PATH, { headers: minimum });
  t.match(first, {
    status: 200,
    headers: { 'x-left-out': '0', 'content-type': /^application\/json/ },
    body: { flags: { one: { state: 'ENABLED', variants: { on: true, off: false } } } },
  });
  const etag = String(first.headers['etag']);

  await t.test('who has it gets 304', async (t) => {
    const known = await service.get(PATH, { headers: { 'if-none-match': etag } });
    t.match(known, { status: 304, text: '', headers: { etag } });
    t.notOk('content-length' in known.headers, 'a length would make clients wait for a body');
    t.notOk('content-type' in known.headers);
    t.match(await service.get(PATH, { headers: { 'if-none-match': '"other"' } }), { status: 200 });
  });

  await t.test('a server key of the environment is enough', async (t) => {
    const { serverKey: credential } = service;
    t.match(await service.get(PATH, { credential }), { status: 200 });
    const staging = PATH.replace('production', 'staging');
    t.match(await service.get(staging, { credential }), { status: 404 });
    t.match(await service.get(PATH, { credential: null }), { status: 401 });
  });

  await t.test('as it was at a moment', async (t) => {
    type History = Readonly<{ items: readonly Readonly<{ position: number }>[] }>;
    const { body: history } = await service.get<History>('/projects/demo/flags/one/history');
    const created = Math.min(...history.items.map((event) => event.position));
    const none = await service.get(`${PATH}?position=${created - 1}`);
    t.equal(none.status, 200, JSON.stringify(none.body));
    t.strictSame((none.body as typeof first.body).flags, {});
    t.match(await service.get(`${PATH}?position=${position}`), { headers: { etag } });
  });

  await t.test('imported again it changes nothing for anybody', async (t) => {
    const again = await service.post(`/projects/demo/import?dryRun=true`, { body: first.body });
    const summary = { created: 0, changed: 0, unchanged: 1, skipped: 0, refused: 0 };
    t.match(again, { status: 200, body: { summary, environments: ['production'] } });
  });

  await t.test('what flagd cannot say is left out and named', async (t) => {
    const rule = {
      id: 'r',
      clauses: [{ attribute: 'email', operator: 'matches', values: ['^a'] }],
      serve: { variant: 'on' },
    };
    const path = '/projects/demo/flags/one/environments/production/rules';
    const { body: answer } = await service.put<{ position: number }>(path, {
      body: { rules: [rule] },
    });
    const headers = { 'x-min-position': String(answer.position) };
    t.match(await service.get(PATH, { headers }), {
      headers: { 'x-left-out': '1' },
      body: { metadata: { leftOut: /^one: the operator "matches"/ } },
    });
  });
});
