import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Environment as EnvironmentView } from '../../domain/project/project.js';
import { environmentIn } from '../../queries/projects/environments-in.js';
import { type Queries } from '../../queries/queries.js';
import { Position } from '../schemas.js';
import {
  addressIn,
  awaitPosition,
  EnvironmentParams,
  moment,
  ProjectParams,
  query,
  querySchema,
  standing,
} from './asking.js';
import { answering, Environment } from './view-schemas.js';

type Listed = Readonly<{ items: readonly EnvironmentView[]; position: Position }>;

const Status = Type.Union([Type.Literal('active'), Type.Literal('deleted'), Type.Literal('all')]);

/** Environments of a project, now and at any past moment. */
export const environmentQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));
    const { project: projectAt } = queries.sources['read-model'];

    app.get(
      '/projects/:project/environments',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'environments',
            'List environments in the order they were added, now or at a moment',
            answering<Listed>(Type.Object({ items: Type.Array(Environment), position: Position })),
          ),
          params: ProjectParams,
          querystring: query({ status: Type.Optional(Status), ...moment }),
        },
      },
      async (request, reply) => {
        const { status = 'active', ...asked } = request.query;
        const then = await queries.resolveMoment(asked);
        const { environments } = await projectAt(addressIn(request), then);
        const items = environments.filter((one) => status === 'all' || one.status === status);
        return standing(reply, then.position, { items });
      },
    );

    app.get(
      '/projects/:project/environments/:environment',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'environments',
            'An environment, now or at a moment; also when it is deleted',
            answering<EnvironmentView & { position: Position }>(
              Type.Composite([Environment, Type.Object({ position: Position })]),
            ),
          ),
          params: EnvironmentParams,
          querystring: query(moment),
        },
      },
      async (request, reply) => {
        const then = await queries.resolveMoment(request.query);
        const project = await projectAt(addressIn(request), then);
        return standing(reply, then.position, environmentIn(project, request.params.environment));
      },
    );
  };
