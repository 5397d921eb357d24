import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Actor } from '../../domain/recorded.js';
import { type Refusal } from '../../domain/refusals.js';

/** A command of a known caller that was refused. */
export type RefusedCommand = Readonly<{
  organizationId: string;
  actor: Actor;
  ip: string;
  userAgent: string | undefined;
  requestId: string;
  refusal: Omit<Refusal, 'count'>;
}>;

export type NoteRefusal = (refused: RefusedCommand) => void;

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem that this request was answered with. */
    problemCode: string | undefined;
  }
}

/** Not asked for, not allowed, not possible now, stale, or wrong in meaning. Malformed requests are not attempts. */
const REFUSALS: ReadonlySet<number> = new Set([403, 409, 412, 422]);
const MAX_PATH = 300;

const isCommand = ({ method, url, query, routeOptions }: FastifyRequest): boolean =>
  method !== 'GET' &&
  method !== 'HEAD' &&
  method !== 'OPTIONS' &&
  url.startsWith('/api/v1/') &&
  routeOptions.config.permission !== 'project.evaluate' &&
  // Refused before its query was read, a request still has it as text.
  String((query as { dryRun?: unknown }).dryRun) !== 'true';

/** Has every refused command of a known caller noted, after it was answered. */
export const noteRefusedCommands = (app: FastifyInstance, note?: NoteRefusal): void => {
  app.decorateRequest('problemCode', undefined);
  if (note === undefined) return;
  app.addHook('onResponse', (request, { statusCode }, done) => {
    const { caller, problemCode: code, method, url, id, ip, headers } = request;
    if (code !== undefined && REFUSALS.has(statusCode) && caller.organizationId !== '') {
      const path = url.split('?', 1)[0]?.slice(0, MAX_PATH) ?? '';
      const refusal = { code, status: statusCode, method, path };
      const { organizationId, actor } = caller;
      const userAgent = headers['user-agent'];
      if (isCommand(request))
        note({ organizationId, actor, ip, userAgent, requestId: id, refusal });
    }
    done();
  });
};
