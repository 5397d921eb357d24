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
    /** The Idempotency-Key, or the id that this request was given instead of one. */
    commandId: string;
  }
  interface FastifyContextConfig {
    /** A route is guarded unless it says that it is public. */
    access?: 'public';
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

/** Every route of the instance needs a credential, except those with `config: { access: 'public' }`. */
export const guardRoutes = (app: FastifyInstance, authenticate: Authenticate): void => {
  app.decorateRequest('caller');
  app.decorateRequest('commandId', '');
  app.addHook('onRequest', async (request) => {
    const isPublic = request.is404 || request.routeOptions.config.access === 'public';
    request.caller = NOBODY;
    if (!isPublic) request.caller = await requireCaller(request, authenticate);
  });
};
