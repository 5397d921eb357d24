import {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { type Logger } from 'pino';
import { healthRoutes, type Readiness } from '../api/health.js';
import { type AppDeps, buildApp } from '../api/http/build-app.js';
import { type Authenticate, type Caller, type Guard } from '../api/http/caller.js';
import { isToken } from '../api/sessions/access-tokens.js';
import { type Config } from '../config.js';
import { DomainError } from '../domain/decider.js';
import { StartupError } from '../embedded/stack/stack.js';
import { type CredentialStore } from '../infrastructure/keys/api-tokens.js';
import { FIRST_ORGANIZATION } from './first-start.js';
import { type ServiceMetrics } from './metrics.js';
import { type Requests } from './requests.js';
import { pause } from '../infrastructure/waiting.js';

type HttpSources = Omit<AppDeps, 'log' | 'prepare' | 'operations'> &
  Readonly<{
    log: Logger;
    readiness: () => Promise<readonly Readiness[]>;
    isStopping: () => boolean;
    metrics: ServiceMetrics;
    /** The public keys of access tokens. */
    keySet?: FastifyPluginAsync | undefined;
  }>;

/** Evaluations are too many to be told one by one. */
const isLogged = (access: FastifyRequest['access']): boolean =>
  access === undefined || access === 'metrics';

/** What the log tells of a guarded request, next to its id. Never a body, a query or a header: they may hold secrets. */
const detailsOf = ({ caller, commandId }: FastifyRequest, { elapsedTime }: FastifyReply) => ({
  durationMs: Math.round(elapsedTime * 100) / 100,
  actor: caller.actor.id,
  ...(commandId !== '' && { commandId }),
});

/** The HTTP side of one process. While it stops every answer closes its connection, so that clients go elsewhere. */
export const createHttp = async (sources: HttpSources): Promise<FastifyInstance> => {
  const { readiness, isStopping, metrics, keySet, ...edge } = sources;
  const { version } = edge;
  const operations = healthRoutes({
    ...{ readiness, isStopping, version },
    metrics: metrics.text,
    operator: FIRST_ORGANIZATION,
  });
  const prepare = (app: FastifyInstance): void => {
    app.addHook('onRequest', (_, reply, done) => {
      if (isStopping()) void reply.header('connection', 'close');
      done();
    });
    app.addHook('onResponse', (request, reply, done) => {
      const labels = {
        method: request.method,
        route: request.routePattern,
        status: reply.statusCode,
      };
      metrics.observeRequest(labels, reply.elapsedTime / 1000);
      if (isLogged(request.access))
        request.log.info({ ...labels, ...detailsOf(request, reply) }, 'answered');
      done();
    });
  };
  return buildApp({
    ...edge,
    prepare,
    operations: keySet === undefined ? [operations] : [operations, keySet],
  });
};

/** Stops listening after `drainMs`, in which every answer closes its connection. */
export const closeHttp = async (app: FastifyInstance, drainMs: number): Promise<void> => {
  await pause(drainMs);
  await app.close();
};

const nobody = async (): Promise<undefined> => undefined;

type Authenticators = Readonly<{
  credentials: CredentialStore;
  authentication: Readonly<{ person: (token: string) => Caller | undefined }>;
  keys: Readonly<{ expiryOf: (secret: string) => Date | undefined }>;
}>;

const requireUnexpired = (expiredAt: Date | undefined): void => {
  if (expiredAt === undefined) return;
  const when = expiredAt.toISOString();
  throw new DomainError('unauthorized', `The application key expired at ${when}; issue another.`);
};

/** By their shape: access tokens prove a person; API tokens a caller of the one organization they belong to. */
const authenticateWith =
  ({ credentials, authentication, keys }: Authenticators): Authenticate =>
  async (credential) => {
    if (isToken(credential)) return authentication.person(credential);
    requireUnexpired(keys.expiryOf(credential));
    const found = await credentials.verify(credential);
    return found === undefined
      ? undefined
      : {
          organizationId: found.organizationId,
          actor: { id: found.keyId, type: 'apiKey', authMethod: 'admin-credential' },
          grants: found.grants,
        };
  };

/** What lets requests in; in a process without any, nothing does. */
export const guardOf = (requests: Requests | undefined): Guard =>
  requests === undefined
    ? { authenticate: nobody, verifyKey: () => undefined }
    : {
        authenticate: authenticateWith(requests),
        verifyKey: requests.keys.verify,
        browser: requests.authentication.browser,
      };

/** Where it listens, as a URL. @throws StartupError when the port is taken */
export const listen = async (app: FastifyInstance, { port, host }: Config): Promise<string> => {
  try {
    return await app.listen({ port, host });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== 'EADDRINUSE') throw error;
    throw new StartupError(
      `port ${port} is taken; stop the program that listens there, or set PORT to another one`,
    );
  }
};
