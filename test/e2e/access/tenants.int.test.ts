import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { type ApiDocument, operationsOf } from '../../support/openapi.js';
import { type Person, registerOrganization } from '../../support/organizations.js';
import { testService, type TestService } from '../../support/service.js';
import { until } from '../../support/until.js';
import { type CommandCase } from '../command-case.js';
import { COMMAND_CASES } from '../command-cases.js';

type Made = Readonly<{ position: number; keyId?: string; tokenId?: string; invitationId?: string }>;
type Listed = Readonly<{ items: readonly Readonly<{ position: number; type: string }>[] }>;
type Ready = Readonly<{
  parts: readonly Readonly<{ name: string; details: Readonly<Record<string, unknown>> }>[];
}>;
type Ids = Readonly<Record<string, string>>;
type Place = Ids &
  Readonly<Record<'project' | 'environment' | 'flag' | 'key' | 'token' | 'position', string>>;
type Answer = Awaited<ReturnType<TestService['send']>>;

/** Bodies of routes that are in no list of commands. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /projects/{project}/environments/{environment}/promote': { to: 'production' },
  'POST /projects/{project}/environments/{environment}/keys': { kind: 'server', name: 'x' },
  'POST /projects/{project}/environments/{environment}/revert': { position: 0 },
  'POST /projects/{project}/import': { flags: {} },
  'PUT /members/{user}/role': { role: 'viewer' },
  'POST /projects/{project}/environments/{environment}/evaluate': { context: {} },
  'POST /projects/{project}/environments/{environment}/evaluate/{flag}': { context: {} },
};

/** Its credential says which tenant is meant; an application key is tried on it below. */
const OFREP = '/ofrep/v1/evaluate/flags/{key}';

const QUERIES: Readonly<Record<string, string>> = { diff: '?from=position:0&to=now' };

/** Random ids of the shape that each has; the same in a run. */
const UNKNOWN: Ids = {
  project: 'nowhere',
  environment: 'nowhere',
  flag: 'nowhere',
  segment: 'nowhere',
  rule: 'nowhere',
  key: 'Zz0123456789',
  token: 'Zz0123456789',
  user: 'usr_Zz0123456789',
  invitation: 'Zz0123456789',
  session: 'ses_Zz0123456789',
  position: '900719925474',
};

const fill = (text: string, ids: Ids): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => ids[name] ?? whole);

const routeBody = (name: string, ids: Ids): unknown => {
  const route = name.replace('/api/v1', '');
  const found: CommandCase | undefined = COMMAND_CASES.find((one) => one.route === route);
  const body = BODIES[route] ?? found?.body;
  return body === undefined ? undefined : (JSON.parse(fill(JSON.stringify(body), ids)) as unknown);
};

/** What an answer tells, but for what the request itself said, and its id. */
const told = ({ status, headers, text }: Answer, named: string) => ({
  status,
  etag: headers.etag,
  location: headers.location,
  type: headers['content-type'],
  text: text
    .replace(/"instance":"[^"]*"/, '')
    .replace(/"commandId":"[^"]*"/, '')
    .replaceAll(named, 'NAMED'),
});

/** A project with one of everything, by whoever has the credential. @returns the ids of all */
const furnished = async (
  service: TestService,
  { credential, userId, sessionId }: Person,
  project: string,
): Promise<Place> => {
  const send = async (path: string, body: unknown): Promise<Made> => {
    const answer = await service.post<Made>(path, { body, credential });
    if (answer.status > 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const [environment, flag, segment, rule] = ['production', 'f', 's', 'pro'];
  const of = (name: string) => `${name}-${project}`;
  const ids = {
    flag: of(flag),
    segment: of(segment),
    rule: of(rule),
    environment: of(environment),
  };
  const at = `/projects/${project}`;
  await send('/projects', { key: project, environments: [{ key: ids.environment }] });
  await send(`${at}/flags`, { key: ids.flag, type: 'boolean' });
  await send(`${at}/segments`, { key: ids.segment });
  const clauses = [{ attribute: 'plan', operator: 'in', values: ['pro'] }];
  const rules = `${at}/flags/${ids.flag}/environments/${ids.environment}/rules`;
  await send(rules, { id: ids.rule, clauses, serve: { variant: 'on' } });
  await send(`${at}/segments/${ids.segment}/rules`, { id: ids.rule, clauses });
  const key = await send(`${at}/environments/${ids.environment}/keys`, {
    kind: 'server',
    name: 'k',
  });
  const token = await send('/tokens', { name: 't', role: 'viewer' });
  const email = `${randomUUID()}@example.com`;
  const { invitationId = '' } = await send('/invitations', { email, role: 'viewer' });
  return {
    ...ids,
    project,
    user: userId,
    session: sessionId,
    key: String(key.keyId),
    token: String(token.tokenId),
    invitation: invitationId,
    position: String(token.position),
  };
};

test('tenants', async (t) => {
  const service = await testService(t);
  const anna = await registerOrganization(service);
  const bert = await registerOrganization(service);
  const hers = await furnished(service, anna, 'hers');
  const his = await furnished(service, bert, 'his');
  const { body: document } = await service.send<ApiDocument>('GET', '/openapi.json');
  const asBert = (method: string, path: string, options: object = {}): Promise<Answer> =>
    service.send(method, path, { credential: bert.credential, ...options });
  const newest = async (credential: string): Promise<number> => {
    const { body } = await service.get<Listed>('/audit?limit=20', { credential });
    // What was tried and refused is noted a second later.
    return body.items.find(({ type }) => type !== 'CommandsRefused')?.position ?? -1;
  };
  const seen = { headers: { 'x-min-position': his.position }, credential: bert.credential };
  await service.get('/projects', seen);
  const before = [await newest(anna.credential), await newest(bert.credential)];

  await t.test('an id of another tenant is as one that nobody has, in every route', async (t) => {
    const found: string[] = [];
    for (const { name, method, path } of operationsOf(document)) {
      if (path === OFREP) continue;
      for (const [, parameter = ''] of path.matchAll(/\{(\w+)\}/g)) {
        const foreign: string | undefined = hers[parameter];
        const unknown = UNKNOWN[parameter];
        if (foreign === undefined || unknown === undefined) {
          t.fail(`${name}: there is no {${parameter}} of another tenant to try`);
          continue;
        }
        const ask = async (id: string) => {
          const ids = { ...his, [parameter]: id };
          const body = routeBody(name, ids);
          const query = QUERIES[path.split('/').at(-1) ?? ''] ?? '';
          const options = body === undefined ? {} : { body };
          return told(await asBert(method, fill(path, ids) + query, options), id);
        };
        const [theirs, nobodys] = [await ask(foreign), await ask(unknown)];
        t.strictSame(theirs, nobodys, `${name}: ${parameter}`);
        if (theirs.status !== 404) found.push(`${theirs.status} ${name} ${parameter}`);
      }
    }
    // An application that asks for a flag there is not gets its own default, and is no error.
    const evaluate = '/api/v1/projects/{project}/environments/{environment}/evaluate/{flag}';
    t.strictSame(found, [`200 GET ${evaluate} flag`, `200 POST ${evaluate} flag`]);
  });

  await t.test('and nothing was written by asking', async (t) => {
    t.strictSame([await newest(anna.credential), await newest(bert.credential)], before);
  });

  await t.test('lists, exports and filters hold the own only', async (t) => {
    const secrets = [
      anna.organizationId,
      anna.userId,
      anna.email,
      hers.project,
      hers.key,
      hers.token,
    ];
    for (const path of [
      '/projects?status=all',
      '/audit?limit=200',
      '/audit/export',
      '/audit/export?format=csv',
      '/audit/checkpoints',
      '/keys',
      '/tokens',
      '/members',
      '/invitations',
      '/organization',
      `/audit?project=${hers.project}`,
      `/audit?flag=${hers.flag}`,
      `/audit/export?project=${hers.project}`,
    ]) {
      const { status, text } = await asBert('GET', `/api/v1${path}`);
      t.equal(status, 200, path);
      const named = secrets.filter((secret) => text.includes(secret) && !path.includes(secret));
      t.strictSame(named, [], path);
      if (path.includes(hers.project)) t.notMatch(text, /"eventId"/);
    }
    const stranger = await asBert('GET', `/api/v1/audit?actor=${anna.userId}`);
    t.match(stranger, { status: 422, text: /unknown-actor/ });
  });

  await t.test('no key, cursor, tag or revision of another tenant is worth anything', async (t) => {
    const headers = { 'idempotency-key': 'shared-1' };
    const project = { body: { key: 'same' }, headers };
    const first = await service.post<Made>('/projects', {
      ...project,
      credential: anna.credential,
    });
    const second = await service.post<Made>('/projects', {
      ...project,
      credential: bert.credential,
    });
    t.match([first.status, second.status], [201, 201]);
    t.notOk('idempotency-replayed' in second.headers, 'the key is his own');
    const flag = { body: { key: 'her-flag', type: 'boolean' }, headers };
    await service.post('/projects/same/flags', { ...flag, credential: anna.credential });
    const missing = await asBert('GET', '/api/v1/projects/same/flags/her-flag', {
      headers: { 'if-none-match': '"0"' },
    });
    t.equal(missing.status, 404);
    const page = await service.get<{ nextCursor: string }>('/audit?limit=1', {
      credential: anna.credential,
    });
    const next = await asBert('GET', `/api/v1/audit?limit=1&cursor=${page.body.nextCursor}`);
    t.equal(next.status, 400);
    const archive = (key: string) =>
      asBert('POST', `/api/v1/projects/same/flags/${key}/archive`, {
        headers: { 'if-match': '"0"' },
      });
    t.strictSame(
      told(await archive('her-flag'), 'her-flag'),
      told(await archive('no-flag'), 'no-flag'),
    );
    const copy = (toProject: string) =>
      asBert('POST', `/api/v1/projects/${his.project}/flags/${his.flag}/copy`, {
        body: { key: 'stolen', toProject },
      });
    t.strictSame(told(await copy(hers.project), hers.project), told(await copy('nil'), 'nil'));
    t.equal((await copy(hers.project)).status, 404);
  });

  await t.test('an application key is for its own tenant', async (t) => {
    const at = `/api/v1/projects/${his.project}/environments/${his.environment}`;
    const { body } = await service.send<{ key: string }>('POST', `${at}/keys`, {
      credential: bert.credential,
      body: { kind: 'server', name: 'own' },
    });
    const evaluate = (place: Ids) =>
      service.send(
        'GET',
        `/api/v1/projects/${place['project']}/environments/${place['environment']}/evaluate`,
        { credential: body.key },
      );
    t.equal((await evaluate(his)).status, 200);
    t.equal((await evaluate(hers)).status, 404);
    const unknown = { ...hers, project: 'nowhere' };
    t.strictSame(told(await evaluate(hers), "'hers'"), told(await evaluate(unknown), "'nowhere'"));
    const ofrep = async (flag: string) => {
      const options = { credential: body.key, body: { context: {} } };
      return told(await service.send('POST', OFREP.replace('{key}', flag), options), flag);
    };
    t.match(await ofrep(his.flag), { status: 200 });
    t.match(await ofrep(hers.flag), { status: 404 });
    t.strictSame(await ofrep(hers.flag), await ofrep('nowhere'));
  });

  await t.test('what all do together is for those who run the installation', async (t) => {
    t.match(await asBert('GET', '/metrics'), {
      status: 403,
      body: { type: 'urn:chronoflag:problem:forbidden' },
    });
    t.equal((await service.send('GET', '/metrics')).status, 200);
    const ask = () => service.send<Ready>('GET', '/ready', { credential: null });
    const verificationIn = ({ parts }: Ready) => parts.find(({ name }) => name === 'verification');
    await until('it has been verified', async () => {
      const { body } = await ask();
      return verificationIn(body)?.details['ranAt'] !== null;
    });
    const { text, body: ready } = await ask();
    const verification = verificationIn(ready);
    t.strictSame(Object.keys(verification?.details ?? {}), [
      'ranAt',
      'differences',
      'organizations',
      'streams',
      'rows',
      'deletedStreams',
      'redisEnvironments',
    ]);
    t.type(verification?.details['differences'], 'number');
    const checkpoints = ready.parts.find(({ name }) => name === 'checkpoints');
    t.strictSame(checkpoints?.details, { failing: 0 });
    t.notMatch(text, /default|demo|hers|his-/);
  });
});
