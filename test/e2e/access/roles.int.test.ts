import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'tap';
import { type Grants, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { type Permission } from '../../../src/domain/access/permission.js';
import { accessTables, guardedRoutes, HOLDERS, MADE, mayCall } from '../../support/access-page.js';
import { type ApiDocument } from '../../support/openapi.js';
import { registerOrganization } from '../../support/organizations.js';
import { testService } from '../../support/service.js';

const PAGE = new URL('../../../docs/access.md', import.meta.url);

type Problem = Readonly<{ type?: string; detail?: string; instance?: string }>;
type Guarded = Readonly<{ method: string; path: string; permission: Permission }>;

/** Known names where there are some, else one that fits no schema: nothing is to be done, only allowed. */
const VALUES: Readonly<Record<string, string>> = { environment: 'production', position: '0' };

const filled = (path: string, project: string): string =>
  path
    .replace('{project}', project)
    .replace(/\{(\w+)\}/g, (_, name: string) => VALUES[name] ?? '$none');

test('roles', async (t) => {
  const service = await testService(t);
  await service.post('/projects', { body: { key: 'bank' } });
  const { body: document } = await service.send<ApiDocument>('GET', '/openapi.json');
  const routes = guardedRoutes(document);
  const declared = routes.flatMap(({ method, path, permission }) =>
    permission === undefined ? [] : [{ method, path, permission }],
  );
  // Whatever the role, a token is no person with an account.
  const guarded = declared.filter(({ permission }) => permission !== 'own.session');

  const tokens = new Map<string, string>();
  for (const [name, grants] of Object.entries(HOLDERS)) {
    const body = { name, ...grants };
    const issued = await service.post<{ token: string }>('/tokens', { body });
    tokens.set(name, issued.body.token);
  }

  const [, , actorId = ''] = service.credential.split('_');

  /** Asks to do nothing: commands as dry runs, and with a body that fits none of them. */
  const call = (name: string, { method, path }: Guarded, project = 'demo') =>
    service.send<Problem>(method, `${filled(path, project)}?dryRun=true`, {
      credential: tokens.get(name) ?? '',
      ...(method === 'GET' || method === 'DELETE' || method === 'HEAD' ? {} : { body: [] }),
    });

  await t.test('docs/access.md is made of the routes', async (t) => {
    const [written = ''] = readFileSync(PAGE, 'utf8').split(MADE);
    const page = written + MADE + accessTables(document);
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(PAGE, page);
    t.equal(readFileSync(PAGE, 'utf8'), page);
  });

  await t.test('every route lets in whom the table names, and nobody else', async (t) => {
    t.ok(guarded.length > 80);
    const check = async (name: string, grants: Grants, route: Guarded): Promise<void> => {
      const what = `${name}: ${route.method} ${route.path}`;
      const { status, body } = await call(name, route);
      if (mayCall(grants, route)) {
        t.notOk([401, 403].includes(status), `${what} is allowed, not ${status}`);
        t.notMatch(body.type ?? '', /:project-not-found$/, what);
        return;
      }
      const isUnseen = route.path.includes('{project}') && name === 'none';
      t.equal(status, isUnseen ? 404 : 403, `${what} is denied`);
    };
    for (const [name, grants] of Object.entries(HOLDERS))
      await Promise.all(guarded.map((route) => check(name, grants, route)));
  });

  await t.test('what is the own account is for people only', async (t) => {
    const own = declared.filter(({ permission }) => permission === 'own.session');
    t.ok(own.length > 3);
    const { credential } = await registerOrganization(service);
    // The session ends with the last of them.
    for (const route of own.toSorted((one, other) => other.path.length - one.path.length)) {
      const what = `${route.method} ${route.path}`;
      const ofToken = await call('owner', route);
      t.ok([400, 403].includes(ofToken.status), `${what}: ${ofToken.status}`);
      const options = { credential, ...(route.method !== 'GET' && { body: [] }) };
      const path = `${filled(route.path, 'demo')}?dryRun=true`;
      t.not((await service.send(route.method, path, options)).status, 403, what);
    }
  });

  await t.test('a HEAD is let in as its GET is', async (t) => {
    const asked = guarded.filter(({ method }) => method === 'GET');
    for (const route of asked) {
      const denied = await call('viewer', { ...route, method: 'HEAD' });
      const isAllowed = mayCall(HOLDERS['viewer'] ?? { role: 'none', projects: {} }, route);
      t.equal(denied.status === 403, !isAllowed, `HEAD ${route.path}`);
    }
  });

  await t.test('a project that nobody gave them is as one that is not there', async (t) => {
    const inProjects = guarded.filter(({ path }) => path.includes('{project}'));
    t.ok(inProjects.length > 50);
    const told = (
      { status, headers, body }: Awaited<ReturnType<typeof call>>,
      project: string,
    ) => ({
      status,
      etag: headers.etag,
      body: JSON.stringify({ ...body, instance: '' }).replaceAll(project, 'PROJECT'),
    });
    for (const route of inProjects) {
      const [foreign, none] = await Promise.all([
        call('project admin', route, 'bank'),
        call('project admin', route, 'nowhere'),
      ]);
      t.match(
        told(foreign, 'bank'),
        { status: 404, etag: undefined },
        `${route.method} ${route.path}`,
      );
      t.strictSame(told(foreign, 'bank'), told(none, 'nowhere'));
    }
  });

  await t.test('nobody is let in without a credential, or with one that is none', async (t) => {
    for (const route of declared)
      for (const credential of [null, 'cf_admin_0123456789ab_nothing'])
        t.equal(
          (await service.send(route.method, filled(route.path, 'demo'), { credential })).status,
          401,
        );
  });

  await t.test('who may not read the audit log is told nowhere who changed what', async (t) => {
    const headers = { 'user-agent': 'told-agent', 'x-correlation-id': 'told-correlation' };
    const change = (method: string, path: string, body?: object) =>
      service.send<{ position: number }>(
        method,
        `/api/v1/projects/demo${path}?reason=told-reason`,
        {
          headers,
          ...(body && { body }),
        },
      );
    await change('PATCH', '', { description: 'told' });
    for (const flag of ['told', 'gone'])
      await change('POST', '/flags', { key: flag, type: 'boolean' });
    await change('POST', '/segments', { key: 'told' });
    const last = await change('DELETE', '/flags/gone');
    const seen = { headers: { 'x-min-position': String(last.body.position) } };
    await service.get('/projects/demo', seen);

    const about = (path: string, flag: string): string =>
      `${filled(path.replace('{flag}', flag).replace('{segment}', 'told'), 'demo')}?from=position:0`;
    const ask = (name: string, path: string) =>
      service.send(
        'GET',
        path.endsWith('/diff?from=position:0') ? path : (path.split('?')[0] ?? ''),
        {
          credential: tokens.get(name) ?? '',
        },
      );
    const who = new RegExp(`told-(?:agent|reason|correlation)|"actor"|${actorId}`);
    const questions = guarded
      .filter(({ method }) => method === 'GET')
      .flatMap((route) =>
        ['told', 'gone'].map((flag) => ({ route, path: about(route.path, flag) })),
      );
    let answered = 0;
    for (const name of ['viewer', 'project viewer', 'none'])
      for (const { route, path } of questions) {
        if (!mayCall(HOLDERS[name] ?? NO_GRANTS, route)) continue;
        const { status, text } = await ask(name, path);
        t.notMatch(text, who, `${name}: ${path}`);
        if (status === 200) answered += 1;
      }
    t.ok(answered > 40, `${answered} answers`);
    for (const path of ['', '/flags/told', '/flags/gone', '/segments/told'])
      t.match((await ask('project auditor', `/api/v1/projects/demo${path}`)).text, who, path);
  });

  await t.test('a protected environment is closed to editors', async (t) => {
    const change = '/projects/demo/environments/production';
    const isProtected = { body: { isProtected: true } };
    const credential = tokens.get('editor') ?? '';
    t.equal(
      (await service.send('PATCH', `/api/v1${change}`, { ...isProtected, credential })).status,
      403,
    );
    t.match(await service.send('PATCH', `/api/v1${change}`, isProtected), {
      status: 200,
      body: { changes: [{ text: 'production: now protected' }] },
    });
    await service.post('/projects/demo/flags', { credential, body: { key: 'f', type: 'boolean' } });
    const enable = '/projects/demo/flags/f/environments/production/enable';
    const refused = {
      status: 403,
      body: { type: 'urn:chronoflag:problem:environment-protected', detail: /'production'/ },
    };
    t.match(await service.post(enable, { credential }), refused);
    t.match(await service.post(`${enable}?dryRun=true`, { credential }), refused);
    const back = await service.post(`${change}/revert`, { credential, body: { position: 0 } });
    t.match(back, refused);
    const file = {
      flags: { f: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' } },
    };
    t.match(
      await service.post('/projects/demo/import?onConflict=mine', { credential, body: file }),
      {
        status: 200,
        body: { flags: [{ flag: 'f', result: 'refused', code: 'environment-protected' }] },
      },
    );
    const admin = { credential: tokens.get('project admin') ?? '' };
    const enabled = await service.post<{ position: number }>(enable, admin);
    t.equal(enabled.status, 200);
    const headers = { 'x-min-position': String(enabled.body.position) };
    t.match((await service.get(change, { headers })).body, { isProtected: true });
  });
});
