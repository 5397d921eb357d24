import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
} from 'fastify';
import { type Guard, guardRoutes } from './caller.js';
import { parseJsonBody } from './json-body.js';
import { problemOf } from './problem.js';
import { sendProblem } from './send-problem.js';
import { compileValidator } from './validation.js';

export type AppDeps = Readonly<{
  log: FastifyBaseLogger;
  guard: Guard;
  /** Adds hooks, before any route. */
  prepare?: (app: FastifyInstance) => void;
  /** Routes under /api/v1. */
  routes: readonly FastifyPluginAsync[];
  /** Routes at the root: health, readiness, metrics. */
  operations: readonly FastifyPluginAsync[];
  version: string;
}>;

const BODY_LIMIT = 1024 * 1024;

/** Fastify's own limits let a slow client hold a connection for ever; with these it is closed within 7 s. */
const LIMITS = {
  bodyLimit: BODY_LIMIT,
  requestTimeout: 5_000,
  connectionTimeout: 30_000,
  keepAliveTimeout: 72_000,
  http: { headersTimeout: 3_000, connectionsCheckingInterval: 1_000 },
} as const;

const REQUEST_ID = /^[\w.:-]{1,100}$/;

const requestId = ({ headers }: { headers: Record<string, string | string[] | undefined> }) => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
};

const documentation = async (app: FastifyInstance, version: string): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Chronoflag',
        version,
        description:
          'Feature flags whose history is the product. Errors are RFC 9457 problems; see docs/errors.md.',
      },
      components: { securitySchemes: { credential: { type: 'http', scheme: 'bearer' } } },
      security: [{ credential: [] }],
    },
  });
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' };
    });
    await docs.register(swaggerUi, { routePrefix: '/docs' });
  });
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
};

const acceptJson = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_: unknown, body: string) => (body === '' ? undefined : parseJsonBody(body)),
  );
};

/** The whole HTTP side. Every input has a schema, every error is a problem, every route is guarded unless public. */
export const buildApp = async (deps: AppDeps): Promise<FastifyInstance> => {
  const app = fastify({
    ...LIMITS,
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 300 },
  });
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler({}, async (request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send(
        problemOf('route-not-found', request.id, {
          detail: `There is no ${request.method} ${request.url.split('?', 1)[0] ?? ''}; see /docs.`,
        }),
      ),
  );
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  deps.prepare?.(app);
  acceptJson(app);
  guardRoutes(app, deps.guard);
  await documentation(app, deps.version);
  for (const routes of deps.routes) await app.register(routes, { prefix: '/api/v1' });
  for (const routes of deps.operations) await app.register(routes);
  return app;
};
