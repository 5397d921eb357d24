import { createHash, timingSafeEqual } from 'node:crypto';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Grants, NO_GRANTS } from '../../domain/access/grants.js';
import { type Permission } from '../../domain/access/permission.js';
import { DomainError } from '../../domain/decider.js';
import { type Actor, ANONYMOUS } from '../../domain/recorded.js';
import { type ApplicationKey } from '../../domain/api-key.js';
import { requireOrigin } from './browsers.js';
import { type GuessLimit } from '../limits/guesses.js';

/** Who sends a request, the organization (tenant) that everything it names belongs to, and what it was given there. */
export type Caller = Readonly<{
  organizationId: string;
  actor: Actor;
  grants: Grants;
  /** For a person who logged in. */
  sessionId?: string;
}>;

/** What a user was given in an organization, told at once; undefined for those who are no members (any more). */
export type GrantsOf = (organizationId: string, userId: string) => Grants | undefined;

/** Looks a credential up; undefined when it is not one. Rejects with `unauthorized` for one that has expired. */
export type Authenticate = (credential: string) => Promise<Caller | undefined>;

/** The key of an application that a text is, told at once; undefined when it is none that is valid. */
export type VerifyKey = (key: string) => ApplicationKey | undefined;

/**
 * Who may call a route, besides admins: anyone; holders of the metrics token; applications with a server key; those
 * with a client key too. A route that does not say is for admins.
 */
export type Access = 'public' | 'metrics' | 'evaluation' | 'bulk-evaluation';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
    /** Set where applications have access, when it is one that sends the request and not an admin. */
    applicationKey: ApplicationKey | undefined;
    /** The pattern that the URL matched, `unknown` for none. Here because Fastify makes its own answer anew each time. */
    routePattern: string;
    access: Access | undefined;
    /** The Idempotency-Key, or the id that this request was given instead of one. */
    commandId: string;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** What a caller other than an application must have been given. */
    permission?: Permission;
  }
}

const BEARER = /^Bearer +(\S+)$/i;

const NOBODY: Caller = {
  organizationId: '',
  actor: ANONYMOUS,
  grants: NO_GRANTS,
};

/** The credential of a request: `Authorization: Bearer`, else `X-API-Key`. */
export const credentialIn = ({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined => {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const bearer = BEARER.exec(authorization)?.[1];
    if (bearer !== undefined) return bearer;
  }
  const key = headers['x-api-key'];
  return typeof key === 'string' ? key : undefined;
};

/** What to send: OFREP clients and applications have a key, everybody else a credential. */
const howToAuthenticate = ({ access }: FastifyRequest): string =>
  access === 'evaluation' || access === 'bulk-evaluation'
    ? 'Send an application key, as "X-API-Key: <key>" or "Authorization: Bearer <key>".'
    : 'Send "Authorization: Bearer <credential>", an API token or the access token of a login.';

const requireCaller = async (
  request: FastifyRequest,
  credential: string | undefined,
  authenticate: Authenticate,
): Promise<Caller> => {
  const caller = credential === undefined ? undefined : await authenticate(credential);
  if (caller !== undefined) return caller;
  const what = credential === undefined ? '' : 'The credential is unknown or was revoked. ';
  throw new DomainError('unauthorized', `${what}${howToAuthenticate(request)}`);
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

export type Guard = Readonly<{
  authenticate: Authenticate;
  verifyKey: VerifyKey;
  metricsToken?: string | undefined;
  /** Sessions of web pages. Absent: cookies mean nothing. */
  browser?:
    Readonly<{ accessTokenIn: (request: FastifyRequest) => string | undefined }> | undefined;
  /** Absent: no limit on guessing credentials. */
  guesses?: GuessLimit | undefined;
}>;

/** Says of every request which route it is for; comes before every other hook, so that all can rely on it. */
export const describeRequests = (app: FastifyInstance): void => {
  app.decorateRequest('caller');
  app.decorateRequest('applicationKey', undefined);
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

/** Every route of the instance needs a credential, except those whose `config.access` says otherwise. */
export const guardRoutes = (
  app: FastifyInstance,
  { authenticate, verifyKey, metricsToken, browser, guesses }: Guard,
): void => {
  const isOpen = (request: FastifyRequest): boolean =>
    request.is404 ||
    request.access === 'public' ||
    (request.access === 'metrics' && isMonitor(request, metricsToken));

  /** The key of the application that sends the request. @throws DomainError `forbidden` */
  const keyOf = ({ access }: FastifyRequest, credential: string): ApplicationKey | undefined => {
    if (access !== 'evaluation' && access !== 'bulk-evaluation') return undefined;
    const key = verifyKey(credential);
    if (key?.kind === 'client' && access === 'evaluation')
      throw new DomainError('forbidden', 'A client key can only evaluate all flags at once.');
    return key;
  };

  /** What to answer a request with that the guard does not let in. */
  const refusedWith = async (
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Error> => {
    if (!(error instanceof Error)) return new Error('The guard failed.', { cause: error });
    const isGuess = error instanceof DomainError && error.code === 'unauthorized';
    return (isGuess ? await guesses?.refuse(request, reply) : undefined) ?? error;
  };

  app.addHook('onRequest', (request, reply, done) => {
    if (isOpen(request)) {
      done();
      return;
    }
    const credential = credentialIn(request) ?? browser?.accessTokenIn(request);
    request.applicationKey = credential === undefined ? undefined : keyOf(request, credential);
    if (request.applicationKey !== undefined) {
      requireOrigin(request, reply, request.applicationKey);
      done();
      return;
    }
    const blocked = guesses?.refusal(request, reply, credential);
    if (blocked !== undefined) {
      done(blocked);
      return;
    }
    requireCaller(request, credential, authenticate).then(
      (caller) => {
        request.caller = caller;
        guesses?.accept(credential);
        done();
      },
      (error: unknown) => {
        refusedWith(error, request, reply).then(done, done);
      },
    );
  });
};
