import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ApplicationKey } from '../../domain/api-key.js';
import { DomainError } from '../../domain/decider.js';

/** What web pages may use; admins' requests come from no page of another origin. */
const EVALUATION =
  /^\/ofrep\/|^\/api\/v1\/projects\/[^/]+\/environments\/[^/]+\/evaluate(?:[/?]|$)/;

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-max-age': '7200',
} as const;

const PREFLIGHT_VARY = 'Access-Control-Request-Headers';

const OWN_HEADERS =
  'content-type, authorization, x-api-key, if-none-match, last-event-id, x-min-position, x-request-id';

/** Names of headers, in a list that is no longer than one of ours would be. */
const NAMES = /^[\w!#$%&'*+.^`|~ ,-]{1,2000}$/;

/**
 * All that a page asks for: libraries for tracing add headers of their own to its requests (`traceparent`, `baggage`,
 * `sentry-trace`, `x-…`), and none of them can do anything here. `*` would not allow Authorization.
 */
const headersFor = ({ headers }: FastifyRequest): string => {
  const asked = headers['access-control-request-headers'];
  return typeof asked === 'string' && NAMES.test(asked) ? `${OWN_HEADERS}, ${asked}` : OWN_HEADERS;
};

const EXPOSED = 'ETag, Retry-After, X-Position, X-Request-Id';

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

type Origins = Readonly<{
  /** Allowed in the whole installation; `*`: all. */
  allowedOrigins?: readonly string[] | undefined;
  /** Whether any environment with origins of its own has this one. */
  allowsOrigin?: ((origin: string) => boolean) | undefined;
}>;

const allow = (reply: FastifyReply, origin: string): FastifyReply =>
  reply
    .header('access-control-allow-origin', origin)
    .header('access-control-expose-headers', EXPOSED);

/**
 * Lets web pages of these origins evaluate, also told of refusals; without credentials of the browser's own (cookies),
 * which mean nothing here. A preflight has no key, so any environment's origins will do for it. Comes before whatever
 * refuses. Fetch standard, "CORS protocol".
 */
export const allowOrigins = (app: FastifyInstance, origins: Origins): void => {
  const { allowedOrigins = ['*'], allowsOrigin = () => false } = origins;
  const isForAll = allowedOrigins.includes('*');

  /** What to answer a page of this origin with; undefined: it may not. */
  const allowed = (request: FastifyRequest, origin: string): string | undefined => {
    if (isForAll) return '*';
    const isAllowed =
      allowedOrigins.includes(origin) || (isPreflight(request) && allowsOrigin(origin));
    return isAllowed ? origin : undefined;
  };

  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined || !EVALUATION.test(request.url)) {
      done();
      return;
    }
    // Else a cache could give one origin's answer to another.
    if (!isForAll) void reply.header('vary', 'Origin');
    const told = allowed(request, origin);
    if (told !== undefined) {
      allow(reply, told);
      if (isPreflight(request)) {
        void reply
          .code(204)
          .headers({ ...PREFLIGHT, 'access-control-allow-headers': headersFor(request) })
          .header('vary', isForAll ? PREFLIGHT_VARY : `Origin, ${PREFLIGHT_VARY}`)
          .send();
        return;
      }
    }
    done();
  });
};

/**
 * Holds a web page to the origins of the environment that the key is of, when it has some of its own. Programs send no
 * origin. @throws DomainError forbidden
 */
export const requireOrigin = (
  { headers: { origin } }: FastifyRequest,
  reply: FastifyReply,
  { allowedOrigins }: ApplicationKey,
): void => {
  if (allowedOrigins === undefined || origin === undefined) return;
  void reply.header('vary', 'Origin');
  if (allowedOrigins.includes(origin)) {
    allow(reply, origin);
    return;
  }
  void reply.removeHeader('access-control-allow-origin');
  throw new DomainError('forbidden', 'Pages of this origin may not evaluate in this environment.');
};

/** Answers are no pages: nothing in them may load or run, nor be framed, should a browser show one. */
const ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Swagger UI and the page of an invitation: all from here but images in a style sheet. Swagger's style elements have no hash. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** A year, as the preload lists ask for at least. RFC 6797. */
const TRANSPORT = { 'strict-transport-security': 'max-age=31536000' };

const ANSWER = {
  ...HEADERS,
  'cache-control': 'no-store',
  'content-security-policy': ANSWER_POLICY,
} as const;
const PAGE = { ...HEADERS, 'content-security-policy': PAGE_POLICY } as const;

const isPage = ({ routePattern, method }: FastifyRequest): boolean =>
  routePattern === '/docs' ||
  routePattern.startsWith('/docs/') ||
  (method === 'GET' && routePattern === '/api/v1/invitations/accept');

/** Evaluations say how they may be kept themselves, and are read by programs: they get none, for nothing. */
const isEvaluation = ({ access, routePattern }: FastifyRequest): boolean =>
  access === 'evaluation' || access === 'bulk-evaluation' || routePattern.startsWith('/ofrep/');

/** Headers that tell browsers to be careful. `isEncrypted`: clients come over TLS only. */
export const secureHeaders = (app: FastifyInstance, isEncrypted: boolean): void => {
  const transport = isEncrypted ? TRANSPORT : {};
  const forPages = { ...PAGE, ...transport };
  const forAnswers = { ...ANSWER, ...transport };
  app.addHook('onRequest', (request, reply, done) => {
    if (!isEvaluation(request)) void reply.headers(isPage(request) ? forPages : forAnswers);
    done();
  });
};
