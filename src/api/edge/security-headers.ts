import { type FastifyInstance, type FastifyRequest } from 'fastify';

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
