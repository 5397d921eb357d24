import { type FastifyInstance, type FastifyRequest } from 'fastify';

/** What web pages may use; admins' requests come from no page of another origin. */
const EVALUATION =
  /^\/ofrep\/|^\/api\/v1\/projects\/[^/]+\/environments\/[^/]+\/evaluate(?:[/?]|$)/;

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers':
    'content-type, authorization, x-api-key, if-none-match, last-event-id, x-min-position, x-request-id',
  'access-control-max-age': '7200',
} as const;

const EXPOSED = 'ETag, Retry-After, X-Position, X-Request-Id';

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/**
 * Lets web pages of these origins evaluate, also told of refusals; without credentials of the browser's own (cookies),
 * which mean nothing here. Comes before whatever refuses. Fetch standard, "CORS protocol".
 */
export const allowOrigins = (app: FastifyInstance, origins: readonly string[] = ['*']): void => {
  const isForAll = origins.includes('*');

  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined || !EVALUATION.test(request.url)) {
      done();
      return;
    }
    // Else a cache could give one origin's answer to another.
    if (!isForAll) void reply.header('vary', 'Origin');
    if (isForAll || origins.includes(origin)) {
      void reply
        .header('access-control-allow-origin', isForAll ? '*' : origin)
        .header('access-control-expose-headers', EXPOSED);
      if (isPreflight(request)) {
        void reply.code(204).headers(PREFLIGHT).send();
        return;
      }
    }
    done();
  });
};
