import { test, type Test } from 'tap';
import { testService, type TestService } from '../support/service.js';
import { type CommandCase } from './command-case.js';
import { COMMAND_CASES } from './command-cases.js';

type Command = Readonly<{
  result: string;
  revision: number;
  position: number;
  commandId: string;
  events: readonly Readonly<{ type: string }>[];
  changes: readonly unknown[];
}>;
type Problem = Readonly<{ type: string; status: number; detail: string; revision?: number }>;
type Operation = Readonly<{ tags: readonly string[] }>;
type Document = Readonly<{ paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>;

const HEADERS = {
  'x-request-id': 'request-1',
  'x-correlation-id': 'ticket-7',
  'user-agent': 'commands-test',
};

/** Their answers are in the tests of authentication, organizations, API tokens, application keys, import and the audit trail. */
const ELSEWHERE = [
  'POST /auth/login',
  'POST /auth/refresh',
  'POST /auth/logout',
  'POST /auth/logout-everywhere',
  'POST /auth/password',
  'POST /auth/sessions/{session}/revoke',
  'POST /organizations',
  'PATCH /organization',
  'POST /organization/ownership',
  'POST /invitations',
  'POST /invitations/accept',
  'POST /invitations/{invitation}/revoke',
  'POST /members/leave',
  'PUT /members/{user}/role',
  'DELETE /members/{user}',
  'POST /audit/checkpoints',
  'POST /audit/verify',
  'POST /personal-data/erase',
  'POST /personal-data/export',
  'POST /projects/{project}/environments/{environment}/keys',
  'POST /projects/{project}/environments/{environment}/promote',
  'POST /projects/{project}/environments/{environment}/keys/{key}/revoke',
  'POST /projects/{project}/environments/{environment}/keys/{key}/rotate',
  'POST /projects/{project}/environments/{environment}/revert',
  'POST /projects/{project}/import',
  'POST /tokens',
  'POST /tokens/{token}/revoke',
  'POST /tokens/{token}/rotate',
];

const fill = (text: string, project: string): string =>
  text
    .replaceAll('{project}', project)
    .replaceAll('{flag}', 'f')
    .replaceAll('{segment}', 's')
    .replaceAll('{rule}', 'pro')
    .replaceAll('{environment}', 'production');

const filled = <T>(body: T, project: string): T =>
  body === undefined ? body : (JSON.parse(fill(JSON.stringify(body), project)) as T);

/** A project of the case's own, and what it needs to be. @returns a way to send the case's command */
const prepared = async (service: TestService, one: CommandCase, project: string) => {
  const environments = [{ key: 'production' }, { key: 'staging' }];
  await service.post('/projects', { body: { key: project, environments } });
  await service.post(`/projects/${project}/flags`, { body: { key: 'f', type: 'boolean' } });
  const run = async <Body>(
    route: string,
    { query = '', ...options }: Parameters<TestService['post']>[1] & { query?: string } = {},
  ) => {
    const [method = '', path = ''] = fill(route, project).split(' ');
    const body = filled(options.body, project);
    return service.send<Body>(method, `/api/v1${path}${query}`, { ...options, body });
  };
  for (const [route, body] of one.before ?? []) await run<Command>(route, { body });
  return run;
};

/** Their POSTs only ask. */
const isAboutEvaluation = (tag: string): boolean => tag === 'evaluation' || tag === 'ofrep';

const problemOf = (code: string) => ({ type: `urn:chronoflag:problem:${code}` });

const checkHistory = async (
  t: Test,
  service: TestService,
  { commandId, position, events }: Command,
): Promise<void> => {
  const { body } = await service.get<{ items: readonly { type: string }[] }>(
    `/audit?order=asc&commandId=${commandId}`,
    { headers: { 'x-min-position': String(position) } },
  );
  t.strictSame(
    body.items.map(({ type }) => type).filter((type) => type !== 'DependencyReserved'),
    events.map(({ type }) => type),
    'the history has its events, after what was reserved for them',
  );
  t.match(
    body.items[0],
    {
      actor: { type: 'apiKey', authMethod: 'admin-credential' },
      ip: '127.0.0.1',
      userAgent: 'commands-test',
      reason: 'because',
      requestId: 'request-1',
      correlationId: 'ticket-7',
      causationId: commandId,
      commandId,
    },
    'the history has who, from where and why',
  );
};

const checkCommand = async (
  t: Test,
  service: TestService,
  one: CommandCase,
  project: string,
): Promise<void> => {
  const run = await prepared(service, one, project);
  const { route, body, other } = one;
  const key = `key-${project}`;

  const stranger = await run<Problem>(route, { body, credential: null });
  t.equal(stranger.status, 401, 'without a credential it is refused');
  t.match(stranger.body, problemOf('unauthorized'));

  const dry = await run<Command>(route, { body, query: '?dryRun=true' });
  t.match(dry, { status: 200, body: { result: 'dry-run' } }, 'a dry run says so');
  t.strictSame(
    dry.body.events.map(({ type }) => type),
    one.events,
    'a dry run tells the events',
  );
  t.ok(dry.body.changes.length > 0, 'a dry run tells what would change');
  const { revision } = dry.body;

  const stale = await run<Problem>(route, { body, headers: { 'if-match': `"${revision + 7}"` } });
  t.match(stale, { status: 412, body: { ...problemOf('stale-revision'), revision } });

  const isNew = revision < 0;
  const first = {
    body,
    query: '?reason=because',
    headers: {
      ...HEADERS,
      'idempotency-key': key,
      ...(isNew ? {} : { 'if-match': `"${revision}"` }),
    },
  };
  const done = await run<Command>(route, first);
  t.equal(done.status, one.makes === undefined ? 200 : 201);
  t.equal(done.headers.location, one.makes && `/api/v1${fill(one.makes, project)}`);
  t.equal(done.headers.etag, `"${revision + one.events.length}"`, 'the dry run wrote nothing');
  t.equal(done.headers['x-request-id'], 'request-1');
  t.match(done.body, {
    result: 'recorded',
    commandId: key,
    revision: revision + one.events.length,
  });
  t.strictSame(done.body.events, dry.body.events, 'the dry run told the truth');
  t.strictSame(done.body.changes, dry.body.changes);

  const repeated = await run<Command>(route, first);
  t.match(repeated, { status: done.status, headers: { 'idempotency-replayed': 'true' } });
  t.strictSame(repeated.body, done.body, 'a repeat gets the first answer');

  const reuse =
    other === undefined ? { ...first, query: '?reason=another' } : { ...first, body: other };
  t.match(await run<Problem>(route, reuse), {
    status: 422,
    body: problemOf('idempotency-key-reused'),
  });

  const again = await run<Command & Problem>(route, { body });
  if (one.again !== undefined) t.match(again.body, problemOf(one.again));
  else t.match(again.body, { result: 'unchanged', revision: done.body.revision, events: [] });

  await checkHistory(t, service, done.body);
};

test('commands', async (t) => {
  const service = await testService(t);
  const { body: document } = await service.send<Document>('GET', '/openapi.json');

  await t.test('every command of the API is tried here', async (t) => {
    const commands = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([method, { tags }]) => method !== 'get' && !tags.some(isAboutEvaluation))
        .map(([method]) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
    );
    t.strictSame(
      [...COMMAND_CASES.map(({ route }) => route), ...ELSEWHERE].toSorted(),
      commands.toSorted(),
    );
  });

  await t.test('of many at the same time all are written, with If-Match one', async (t) => {
    const path = '/projects/demo/flags/busy';
    await service.post('/projects/demo/flags', { body: { key: 'busy', type: 'boolean' } });
    const place = `${path}/environments/production/targets/add`;
    const keys = Array.from({ length: 12 }, (_, n) => `user-${n}`);
    const all = (headers: Readonly<Record<string, string>>) =>
      Promise.all(
        keys.map((key) =>
          service.post<Command>(place, { body: { variant: 'on', keys: [key] }, headers }),
        ),
      );
    const competing = await all({ 'if-match': '"0"' });
    t.equal(competing.filter(({ status }) => status === 200).length, 1);
    t.equal(competing.filter(({ status }) => status === 412).length, keys.length - 1);
    const answers = await all({});
    t.ok(answers.every(({ status }) => status === 200));
    t.equal(Math.max(...answers.map(({ body }) => body.revision)), keys.length);
  });

  for (const [index, one] of COMMAND_CASES.entries())
    await t.test(one.route, (t) => checkCommand(t, service, one, `p${index}`));
});
