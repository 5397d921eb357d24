import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { later } from '../../domain/position.js';
import { type Environment as ProjectEnvironment } from '../../domain/project.js';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type EnvironmentDiff } from '../../queries/environments/environment-diff.js';
import {
  environmentAt,
  type EnvironmentFlag,
  type EnvironmentView,
  flagInEnvironment,
} from '../../queries/environments/environment-state.js';
import { parseMoment } from '../../queries/moments.js';
import { environmentIn } from '../../queries/projects.js';
import { type Queries } from '../../queries/queries.js';
import { ConfigurationParams } from '../flags/schemas.js';
import {
  addressIn,
  awaitPosition,
  DiffEndText,
  EnvironmentParams,
  moment,
  ownMoment,
  ProjectParams,
  query,
  querySchema,
  source,
  standing,
} from '../http/query-route.js';
import { Position, Revision } from '../http/schemas.js';
import {
  answering,
  Changes,
  Environment,
  environmentFlag,
  nullable,
} from '../http/view-schemas.js';

type OneFlag = Readonly<{
  project: string;
  environment: string;
  flag: EnvironmentFlag;
  position: Position;
}>;

const End = Type.Object({ position: Position });

const ChangedList = Type.Array(
  Type.Object({
    key: Type.String(),
    fromRevision: nullable(Revision),
    toRevision: nullable(Revision),
    changes: Changes,
  }),
);

const Diff = Type.Object({
  from: End,
  to: End,
  flags: ChangedList,
  segments: ChangedList,
  position: Position,
});

/** What applications of an environment saw, at any moment and between two. */
export const environmentStateRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/projects/:project/environments/:environment/flags',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'environments',
            'Every flag of an environment that is not deleted, now or at a moment',
            answering<EnvironmentView & { position: Position }>(
              Type.Object({
                project: Type.String(),
                environment: Environment,
                flags: Type.Array(Type.Object(environmentFlag)),
                position: Position,
              }),
            ),
          ),
          params: EnvironmentParams,
          querystring: query({ ...moment, ...source }),
        },
      },
      async (request, reply) => {
        const { source: from = 'read-model', ...asked } = request.query;
        const then = await queries.resolveMoment(asked);
        const state = await environmentAt(queries.sources[from])(addressIn(request), then);
        return standing(reply, then.position, state);
      },
    );

    app.get(
      '/projects/:project/environments/:environment/diff',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'environments',
            'What changed for the applications of an environment between two moments',
            answering<EnvironmentDiff & { position: Position }>(Diff),
          ),
          params: EnvironmentParams,
          querystring: query({ from: DiffEndText, to: Type.Optional(DiffEndText) }),
        },
      },
      async (request, reply) => {
        const { from, to = 'now' } = request.query;
        const before = await queries.resolveMoment(parseMoment(from));
        const after = await queries.resolveMoment(parseMoment(to));
        const diff = await queries.environmentDiff(addressIn(request), before, after);
        return standing(reply, later(before.position, after.position), diff);
      },
    );

    app.get(
      '/projects/:project/flags/:flag/environments/:environment',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'flags',
            'One flag as it is in one environment, now or at a moment',
            answering<OneFlag>(
              Type.Object({
                project: Type.String(),
                environment: Type.String(),
                flag: Type.Object(environmentFlag),
                position: Position,
              }),
            ),
          ),
          params: ConfigurationParams,
          querystring: query({ ...ownMoment, ...source }),
        },
      },
      async (request, reply) => {
        const { organizationId, ...names } = addressIn(request);
        const { source: from = 'read-model', ...asked } = request.query;
        const stream = flagStream(projectIdOf(organizationId, names.project), names.flag);
        const then = await queries.resolveMoment(asked, stream);
        const flag = await flagInEnvironment(queries.sources[from])(
          { organizationId, ...names },
          then,
        );
        void reply.header('etag', `"${flag.revision}"`);
        return standing(reply, then.position, { ...names, flag });
      },
    );
  };

type Listed = Readonly<{ items: readonly ProjectEnvironment[]; position: Position }>;

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
            answering<ProjectEnvironment & { position: Position }>(
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
