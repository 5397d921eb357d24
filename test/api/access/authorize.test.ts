import { type FastifyPluginAsync } from 'fastify';
import { pino } from 'pino';
import { test } from 'tap';
import { type Caller } from '../../../src/api/http/caller.js';
import { buildApp } from '../../../src/api/http/build-app.js';
import { type Grants } from '../../../src/domain/access/grants.js';

const GRANTS: Readonly<Record<string, Grants>> = {
  viewer: { role: 'viewer', projects: {} },
  shopEditor: { role: 'none', projects: { shop: 'editor' } },
  shopViewer: { role: 'none', projects: { shop: 'viewer' } },
  auditor: { role: 'auditor', projects: {} },
};

const callerOf = (role: string): Caller | undefined => {
  const grants = GRANTS[role];
  return (
    grants && {
      organizationId: 'acme',
      actor: { id: role, type: 'user', authMethod: 'none' },
      grants,
    }
  );
};

const appWith = (routes: FastifyPluginAsync) =>
  buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async (role) => callerOf(role), verifyKey: () => undefined },
    routes: [routes],
    operations: [],
    version: 'test',
  });

test('a route of which it is not said who may call it keeps the service from starting', async (t) => {
  const app = await appWith(async (routes) => {
    routes.get('/said', { config: { permission: 'project.read' } }, async () => 'said');
    routes.post('/forgotten', async () => 'forgotten');
    routes.get('/half', { config: { access: 'evaluation' } }, async () => 'half');
  });
  t.teardown(() => app.close());
  await t.rejects(async () => app.ready(), {
    message:
      'Routes without a permission: POST /api/v1/forgotten; GET /api/v1/half; HEAD /api/v1/half.',
  });
});

test('a caller may do what was given, and sees nothing of other projects', async (t) => {
  const app = await appWith(async (routes) => {
    const path = '/projects/:project/flags';
    routes.get(path, { config: { permission: 'project.read' } }, async () => 'read');
    routes.post(path, { config: { permission: 'flags.write' } }, async () => 'written');
    routes.get('/audit', { config: { permission: 'audit.read' } }, async () => 'log');
    routes.get('/audit/verify', { config: { permission: 'audit.verify' } }, async () => 'verdict');
  });
  t.teardown(() => app.close());
  const told = async (role: string, asked: string): Promise<string> => {
    const [method, url] = asked.split(' ') as ['GET', string];
    const headers = { authorization: `Bearer ${role}` };
    const answer = await app.inject({ method, url: `/api/v1${url}`, headers });
    const { statusCode, body } = answer;
    if (statusCode === 200) return body;
    return `${statusCode} ${answer.json<{ type: string }>().type.replace(/.*:/, '')}`;
  };

  for (const [role, asked, expected] of [
    ['nobody', 'GET /projects/shop/flags', '401 unauthorized'],
    ['viewer', 'GET /projects/shop/flags', 'read'],
    ['viewer', 'POST /projects/shop/flags', '403 forbidden'],
    ['viewer', 'GET /audit', '403 forbidden'],
    ['auditor', 'GET /audit', 'log'],
    ['auditor', 'GET /audit/verify', 'verdict'],
    ['auditor', 'POST /projects/shop/flags', '403 forbidden'],
    ['shopEditor', 'POST /projects/shop/flags', 'written'],
    ['shopEditor', 'HEAD /projects/shop/flags', ''],
    ['shopEditor', 'GET /projects/bank/flags', '404 project-not-found'],
    ['shopEditor', 'GET /projects/__proto__/flags', '404 project-not-found'],
    ['shopEditor', 'GET /audit', 'log'],
    ['shopEditor', 'GET /audit?project=shop', 'log'],
    ['shopEditor', 'GET /audit?project=bank', '404 project-not-found'],
    ['shopEditor', 'GET /audit/verify', '403 forbidden'],
    ['shopViewer', 'GET /audit?project=shop', '403 forbidden'],
    ['shopViewer', 'GET /audit', '403 forbidden'],
  ] as const)
    t.equal(await told(role, asked), expected, `${role} ${asked}`);
});
