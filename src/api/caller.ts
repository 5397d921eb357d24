import { createHash, timingSafeEqual } from 'node:crypto';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { DomainError } from '../domain/decider.js';
import { type Actor } from '../domain/metadata.js';

/** Who sends a request, and the organization (tenant) that everything it names belongs to. */
export type Caller = Readonly<{ organizationId: string; actor: Actor }>;

/** Looks a credential up; undefined when it is not one. */
export type Authenticate = (credential: string) => Promise<Caller | undefined>;

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
    /** The pattern that the URL matched, `unknown` for none. Here because Fastify makes its own answer anew each time. */
    routePattern: string;
    access: 'public' | 'metrics' | undefined;
    /** The Idempotency-Key, or the id that this request was given instead of one. */
    commandId: string;
  }
  interface FastifyContextConfig {
    /** A route is guarded unless it says that it is public; `metrics` also takes the metrics token. */
    access?: 'public' | 'metrics';
  }
}

const BEARER = /^Bearer +(\S+)$/i;

const NOBODY: Caller = {
  organizationId: '',
  actor: { id: 'anonymous', type: 'system', authMethod: 'none' },
};

const requireCaller = async (
  { headers }: FastifyRequest,
  authenticate: Authenticate,
): Promise<Caller> => {
  const credential = BEARER.exec(headers.authorization ?? '')?.[1];
  const caller = credential === undefined ? undefined : await authenticate(credential);
  if (caller === undefined) {
    throw new DomainError(
      'unauthorized',
      'Send "Authorization: Bearer <admin credential>"; the first start printed it.',
    );
  }
  return caller;
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether a request carries the token that lets a monitor read the metrics, and nothing else. */
const isMonitor = ({ headers }: FastifyRequest, metricsToken: string | undefined): boolean => {
  const given = BEARER.exec(headers.authorization ?? '')?.[1];
  return (
    metricsToken !== undefined &&
    given !== undefined &&
    timingSafeEqual(digest(given), digest(metricsToken))
  );
};

export type Guard = Readonly<{ authenticate: Authenticate; metricsToken?: string | undefined }>;

/** Says of every request which route it is for; comes before every other hook, so that all can rely on it. */
export const describeRequests = (app: FastifyInstance): void => {
  app.decorateRequest('caller');
  app.decorateRequest('commandId', '');
  app.decorateRequest('routePattern', 'unknown');
  app.decorateRequest('access', undefined);
  app.addHook('onRequest', (request, _, done) => {
    const { config, url = 'unknown' } = request.routeOptions;
    request.caller = NOBODY;
    request.routePattern = url;
    request.access = config.access;
    done();
  });
};

/** Every route of the instance needs a credential, except those with `config: { access: 'public' }`. */
export const guardRoutes = (app: FastifyInstance, { authenticate, metricsToken }: Guard): void => {
  app.addHook('onRequest', (request, _, done) => {
    const isOpen = request.is404 || request.access === 'public';
    if (isOpen || (request.access === 'metrics' && isMonitor(request, metricsToken))) {
      done();
      return;
    }
    requireCaller(request, authenticate).then((caller) => {
      request.caller = caller;
      done();
    }, done);
  });
};
