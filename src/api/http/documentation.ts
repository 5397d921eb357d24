import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type FastifyInstance } from 'fastify';

const pascal = (text: string): string =>
  text.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase());

/** A collection and the parameter that picks one of it are that one: `projects/:project` is `Project`. */
const nameOf = (segment: string, next: string | undefined): string =>
  next === `:${segment.slice(0, -1)}` ? '' : pascal(segment.replace(/^:/, ''));

/**
 * The name of an operation in generated clients: the method, then the path.
 * `PUT /api/v1/projects/:project/flags/:flag/variants` is `putProjectFlagVariants`.
 */
export const operationIdOf = (method: string, url: string): string => {
  const segments = url
    .replace(/^\/api(?=\/)/, '')
    .replace(/\/v\d+(?=\/)/, '')
    .split('/')
    .filter((segment) => segment !== '');
  const names = segments.map((segment, index) => nameOf(segment, segments[index + 1]));
  return `${method.toLowerCase()}${names.join('')}`;
};

/** OpenAPI 3.1 made of the routes' schemas at /openapi.json, for people at /docs. Comes before the routes. */
export const documentRoutes = async (
  app: FastifyInstance,
  version: string,
  publicUrl: string | undefined,
): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      // Else clients call the root of the host, which may be another application's.
      ...(publicUrl !== undefined && { servers: [{ url: publicUrl }] }),
      info: {
        title: 'Chronoflag',
        version,
        description:
          'Feature flags whose history is the product. Errors are RFC 9457 problems; see docs/errors.md.',
      },
      components: {
        securitySchemes: {
          credential: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          streamToken: { type: 'apiKey', in: 'query', name: 'token' },
        },
      },
      security: [{ credential: [] }],
    },
    transform: ({ schema, url, route, route: { config: { permission, access } = {} } }) => ({
      url,
      schema: {
        ...(access === 'public' && { security: [] }),
        ...schema,
        operationId: operationIdOf(String(route.method), url),
        ...(permission && { 'x-permission': permission }),
        ...(access && { 'x-access': access }),
      },
    }),
  });
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' };
    });
    // Relative, so that it is right below any path: without the slash the page looks for its scripts elsewhere.
    docs.addHook('onRequest', (request, reply, done) => {
      const [path] = request.url.split('?', 1);
      if (path === '/docs') void reply.redirect('docs/');
      else done();
    });
    await docs.register(swaggerUi, { routePrefix: '/docs' });
  });
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
};
