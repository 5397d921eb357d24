import { type FastifyInstance } from 'fastify';
import { type Logger } from 'pino';
import { buildApp } from '../api/build-app.js';
import { type Authenticate } from '../api/caller.js';
import { healthRoutes, type Readiness } from '../api/routes/health.js';
import { type Config } from '../config.js';
import { type CredentialStore } from '../infrastructure/credentials.js';
import { type RulesetStatus } from '../infrastructure/ruleset-supply.js';
import { type ProjectionStatus } from '../projections/projection-status.js';
import { serviceMetrics } from './metrics.js';

export type HttpSources = Readonly<{
  log: Logger;
  version: string;
  authenticate: Authenticate;
  routes: Parameters<typeof buildApp>[0]['routes'];
  readiness: () => Promise<readonly Readiness[]>;
  isStopping: () => boolean;
  metrics: ReturnType<typeof serviceMetrics>;
}>;

/** Admin credentials prove a caller of the one organization they belong to. */
export const authenticateWith =
  (credentials: CredentialStore): Authenticate =>
  async (credential) => {
    const found = await credentials.verify(credential);
    return found === undefined
      ? undefined
      : {
          organizationId: found.organizationId,
          actor: { id: found.keyId, type: 'apiKey', authMethod: 'admin-credential' },
        };
  };

export const projectionReadiness = ({
  projection,
  state,
  ...details
}: ProjectionStatus): Readiness => ({
  name: projection,
  isReady: state === 'live' || state === 'standby' || state === 'catching-up',
  details: { state, ...details },
});

export const rulesetReadiness = ({ isDegraded, source, ...details }: RulesetStatus): Readiness => ({
  name: 'rulesets',
  isReady: !isDegraded,
  details: { source, ...details },
});

/** The HTTP side of one process. A process that is stopping asks its clients to go elsewhere. */
export const createHttp = async (sources: HttpSources): Promise<FastifyInstance> => {
  const { log, version, authenticate, routes, readiness, isStopping, metrics } = sources;
  const operations = healthRoutes({ readiness, isStopping, metrics: metrics.text, version });
  const app = await buildApp({ log, authenticate, routes, operations: [operations], version });
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'unknown' } = request.routeOptions;
    const labels = { method: request.method, route, status: reply.statusCode };
    metrics.observeRequest(labels, reply.elapsedTime / 1000);
    done();
  });
  return app;
};

/** Stops listening after `drainMs`, in which every answer closes its connection. */
export const closeHttp = async (app: FastifyInstance, { drainMs }: Config): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, drainMs));
  await app.close();
};
