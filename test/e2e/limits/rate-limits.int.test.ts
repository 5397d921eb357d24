import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { issueKey } from '../../support/ofrep-flags.js';
import { type Answer, type HttpClient } from '../../support/http-client.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

const PROJECTS = '/projects';
const BULK = '/ofrep/v1/evaluate/flags';
const NOBODY = { credential: `cf_admin_${'0'.repeat(12)}_${'0'.repeat(43)}` };

const statusesOf = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).toSorted();

const newProject = (client: HttpClient): Promise<Answer> =>
  client.post(PROJECTS, { body: { key: `p-${randomUUID()}`, name: 'One' } });

const TOLD = {
  'ratelimit-limit': /^\d+$/,
  'ratelimit-remaining': '0',
  'ratelimit-reset': /^\d+$/,
  'retry-after': /^[1-9]\d*$/,
};

test('commands', async (t) => {
  const service = await testService(t, { RATE_LIMIT_COMMANDS: '6/min' });
  const other = await service.startAnother();

  await t.test('two processes share a budget, and each command tells what is left', async (t) => {
    const first = await newProject(service);
    t.match(first, {
      status: 201,
      headers: { 'ratelimit-limit': '6', 'ratelimit-remaining': '5', 'ratelimit-reset': '10' },
    });
    const second = await newProject(other);
    t.match(second.headers, { 'ratelimit-remaining': '4' });
    const rest = await Promise.all(
      [service, other, service, other, service, other].map(newProject),
    );
    t.strictSame(statusesOf(rest), [201, 201, 201, 201, 429, 429]);
  });

  await t.test('what is refused is a problem, and nothing is written', async (t) => {
    const key = `p-${randomUUID()}`;
    const refused = await service.post(PROJECTS, { body: { key, name: 'One' } });
    t.match(refused, {
      status: 429,
      headers: { ...TOLD, 'content-type': /^application\/problem\+json/ },
      body: { type: 'urn:chronoflag:problem:rate-limited', status: 429, detail: /try again in/ },
    });
    t.equal((await service.get(`${PROJECTS}/${key}`)).status, 404);
  });

  await t.test('queries and evaluation go on', async (t) => {
    const query = await service.get(PROJECTS);
    t.match(query, { status: 200, headers: { 'ratelimit-remaining': /^\d+$/ } });
    const evaluate = '/projects/demo/environments/production/evaluate';
    const evaluated = await service.get(evaluate, { credential: service.serverKey });
    t.equal(evaluated.status, 200);
    t.notOk('ratelimit-limit' in evaluated.headers, 'evaluations tell only when refused');
  });
});

test('an organization has budgets for all its credentials together', async (t) => {
  const service = await testService(t, {
    RATE_LIMIT_TENANT_COMMANDS: '2/min',
    RATE_LIMIT_TENANT_QUERIES: '500/min',
  });
  const answers = [];
  for (let nth = 0; nth < 3; nth += 1) answers.push(await newProject(service));
  t.strictSame(statusesOf(answers), [201, 201, 429]);
  t.match(answers[0]?.headers, { 'ratelimit-limit': '2' }, 'the tighter budget is told');
  const ask = (): Promise<Answer> => service.get(PROJECTS);
  t.match(await ask(), { status: 200, headers: { 'ratelimit-limit': '500' } });
  await until('the budget is used up', async () => (await ask()).status === 429);
});

test('who is not known may ask only so often', async (t) => {
  const service = await testService(t, { RATE_LIMIT_PUBLIC: '3/min' });
  const anonymous = (path: string): Promise<Answer> =>
    service.send('GET', path, { credential: null });

  await t.test('what there is not, and what is public, are one budget', async (t) => {
    t.match(await anonymous('/nothing'), { status: 404 });
    t.match(await anonymous('/openapi.json'), { status: 200 });
    t.match(await anonymous('/ofrep/v1/nothing'), { status: 404 });
    t.match(await anonymous('/nothing'), { status: 429, headers: TOLD });
    t.match(await anonymous('/ofrep/v1/events?token=x'), {
      status: 429,
      body: { errorCode: 'GENERAL' },
    });
  });

  await t.test('operators and who has a credential go on', async (t) => {
    t.match(await anonymous('/health'), { status: 200 });
    t.match(await anonymous('/ready'), { status: 200 });
    t.match(await service.get(PROJECTS), { status: 200 });
  });
});

test('queries', async (t) => {
  const service = await testService(t, { RATE_LIMIT_QUERIES: '500/min' });
  const ask = (): Promise<Answer> => service.get(PROJECTS);
  await until('the budget is used up', async () => (await ask()).status === 429);
  t.match(await ask(), { status: 429, headers: TOLD });
  t.equal((await newProject(service)).status, 201, 'commands go on');
});

test('evaluation', async (t) => {
  const service = await testService(t, {
    RATE_LIMIT_EVALUATION: '2/min',
    RATE_LIMIT_CLIENT_EVALUATION: '1/min',
  });
  const evaluate = (key: string): Promise<Answer> =>
    service.send('POST', BULK, { body: { context: {} }, credential: key });
  const { key: clientKey } = await issueKey(service, 'client');
  const answers = [];
  for (let nth = 0; nth < 3; nth += 1) answers.push(await evaluate(service.serverKey));
  t.strictSame(statusesOf(answers), [200, 200, 429]);
  t.match(answers[2], {
    headers: { ...TOLD, 'content-type': /^application\/json/ },
    body: { errorCode: 'GENERAL', errorDetails: /try again in/, metadata: {} },
  });
  await until('the client key is known', async () => (await evaluate(clientKey)).status !== 401);
  t.match(await evaluate(clientKey), { status: 429, headers: { 'ratelimit-limit': '1' } });
});

test('refused credentials', async (t) => {
  const service = await testService(t, { RATE_LIMIT_REFUSALS: '3/min' });
  const other = await service.startAnother();
  const guess = (client: HttpClient = service, headers = {}): Promise<Answer> =>
    client.get(PROJECTS, { ...NOBODY, headers });

  await t.test('an address may be wrong only so often, on all processes together', async (t) => {
    const answers = [await guess(), await guess(other), await guess(), await guess(other)];
    t.strictSame(statusesOf(answers), [401, 401, 401, 429]);
    t.match(await guess(), { status: 429, headers: TOLD });
  });

  await t.test('a header does not make it another address', async (t) => {
    const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
    t.equal((await guess(service, headers)).status, 429);
  });

  await t.test('who was let in before still is, and applications always are', async (t) => {
    t.equal((await service.get(PROJECTS)).status, 200);
    const body = { context: {} };
    const credential = service.serverKey;
    t.equal((await other.send('POST', BULK, { body, credential })).status, 200);
    t.equal((await service.send('GET', '/health')).status, 200);
  });
});

test('behind a proxy that is trusted every client has an address', async (t) => {
  const service = await testService(t, {
    RATE_LIMIT_REFUSALS: '1/min',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const guess = async (from: string): Promise<number> => {
    const headers = { 'x-forwarded-for': from };
    return (await service.get(PROJECTS, { ...NOBODY, headers })).status;
  };
  t.strictSame(
    [await guess('203.0.113.9'), await guess('203.0.113.9'), await guess('203.0.113.10')],
    [401, 429, 401],
  );
  t.equal(await guess('198.51.100.1, 203.0.113.9'), 429, 'only what the proxy itself added counts');

  await t.test('a port makes it no other client', async (t) => {
    for (const from of ['203.0.113.9:50001', '"203.0.113.9:50002"', '203.0.113.10:1'])
      t.equal(await guess(from), 429, from);
    t.equal(await guess('[2001:db8::1]:4711'), 401);
    for (const from of ['[2001:db8::1]:4712', '"[2001:db8::2]"', '2001:db8::3'])
      t.equal(await guess(from), 429, from);
  });

  await t.test('a proxy that tells no address counts as the client', async (t) => {
    t.equal(await guess('junk'), 401);
    for (const from of ['unknown', '_hidden:80', '203.0.113.77, 999.1.1.1', '1.2.3.4 5.6.7.8', ','])
      t.equal(await guess(from), 429, from);
    t.equal(await guess('junk, 203.0.113.11'), 401, 'what it appended to junk does');
  });

  await t.test('the audit log has addresses only', async (t) => {
    for (const [from, ip] of [
      ['203.0.113.9:50001', '203.0.113.9'],
      ['"[2001:db8::1]:4711"', '2001:db8::1'],
      ['junk', '127.0.0.1'],
    ] as const) {
      const body = { key: `p-${randomUUID()}`, name: 'One' };
      const headers = { 'x-forwarded-for': from };
      const made = await service.post<{ position: number; commandId: string }>(PROJECTS, {
        body,
        headers,
      });
      const position = { 'x-min-position': String(made.body.position) };
      const path = `/audit?commandId=${made.body.commandId}`;
      const found = await service.get(path, { headers: position });
      t.match(found.body, { items: [{ ip }] }, from);
    }
  });
});
