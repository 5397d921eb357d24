import {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { type Logger } from 'pino';
import { type AppDeps, buildApp } from '../../api/build-app.js';
import { healthRoutes, type Readiness } from '../../api/routes/health.js';
import { FIRST_ORGANIZATION } from '../first-start.js';
import { type ServiceMetrics } from './metrics.js';

export type HttpSources = Omit<AppDeps, 'log' | 'prepare' | 'operations'> &
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
  await new Promise((resolve) => setTimeout(resolve, drainMs));
  await app.close();
};
