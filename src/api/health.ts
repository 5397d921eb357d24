import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { DomainError } from '../domain/decider.js';
import { answerOf, problems } from './http/schemas.js';

/** One part of the service, as /ready tells it. */
export type Readiness = Readonly<{
  name: string;
  isReady: boolean;
  /** It works for all but a part of the data, which somebody has to look at. */
  isDegraded?: boolean;
  /** Why it does not work. It may name hosts and users: for the log and /metrics, which strangers do not see. */
  reason?: string | undefined;
  /** What everybody may know: position, lag, age of data, poison event. */
  details: Readonly<Record<string, unknown>>;
}>;

export type HealthDeps = Readonly<{
  readiness: () => Promise<readonly Readiness[]>;
  isStopping: () => boolean;
  /** Prometheus text. */
  metrics: () => Promise<string>;
  version: string;
  /** The organization that runs the installation: what all of them do together is for its admins only. */
  operator: string;
}>;

const Ready = Type.Object({
  status: Type.String({ description: 'ready, degraded or stopping.' }),
  parts: Type.Array(
    Type.Object({
      name: Type.String(),
      isReady: Type.Boolean(),
      details: Type.Record(Type.String(), Type.Unknown()),
    }),
  ),
});

/** /health (the process lives), /ready (its parts), /metrics (Prometheus). */
export const healthRoutes =
  ({ readiness, isStopping, metrics, version, operator }: HealthDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/health',
      {
        config: { access: 'public', budget: 'none' },
        schema: {
          tags: ['operation'],
          summary: 'Whether the process is alive',
          security: [],
          response: { 200: Type.Object({ status: Type.String(), version: Type.String() }) },
        },
      },
      async () => ({ status: 'ok', version }),
    );

    app.get(
      '/ready',
      {
        config: { access: 'public', budget: 'none' },
        schema: {
          tags: ['operation'],
          summary: 'Whether every part works; 503 names the part that does not',
          description:
            'Status degraded (200): every part works, but single streams are parked: /api/v1/parked-streams.',
          security: [],
          response: { 200: Ready, 503: Ready },
        },
      },
      async (_, reply) => {
        const found = await readiness();
        const parts = found.map(({ name, isReady, details }) => ({
          ...{ name, isReady },
          details: { ...details },
        }));
        const isReady = !isStopping() && found.every((part) => part.isReady);
        const isWhole = isReady && !found.some(({ isDegraded }) => isDegraded === true);
        if (!isReady) void reply.code(503);
        const status = isStopping() ? 'stopping' : isWhole ? 'ready' : 'degraded';
        return { status, parts };
      },
    );

    app.get(
      '/metrics',
      {
        config: { access: 'metrics', permission: 'metrics.read' },
        onRequest: async ({ caller: { organizationId } }) => {
          // Nobody's: whoever asks has the metrics token.
          if (organizationId !== '' && organizationId !== operator)
            throw new DomainError(
              'forbidden',
              'Only the operator of the installation may do this.',
            );
        },
        schema: {
          tags: ['operation'],
          summary: 'Prometheus metrics',
          response: {
            200: answerOf('Prometheus text', { 'text/plain': Type.String() }),
            ...problems,
          },
        },
      },
      async (_, reply) => {
        void reply.type('text/plain; version=0.0.4; charset=utf-8');
        return metrics();
      },
    );
  };
