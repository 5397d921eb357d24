import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Environment as ProjectEnvironment } from '../../domain/project.js';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type EnvironmentDiff } from '../../queries/environments/environment-diff.js';
import {
  environmentAt,
  type EnvironmentFlag,
  type EnvironmentView,
  flagInEnvironment,
} from '../../queries/environments/environment-state.js';
import { environmentIn } from '../../queries/projects.js';
import { type Queries } from '../../queries/queries.js';
import { ConfigurationParams } from '../flags/schemas.js';
import {
  addressIn,
  diffEnds,
  endsOf,
  EnvironmentParams,
  moment,
  ownMoment,
  ProjectParams,
  queryRouter,
  readingOf,
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
    const query = queryRouter(app, queries, { tag: 'environments', permission: 'project.read' });

    const aboutFlags = 'Every flag of an environment that is not deleted, now or at a moment';
    query('/projects/:project/environments/:environment/flags', aboutFlags, {
      params: EnvironmentParams,
      query: { ...moment, ...source },
      answer: answering<EnvironmentView & { position: Position }>(
        Type.Object({
          project: Type.String(),
          environment: Environment,
          flags: Type.Array(Type.Object(environmentFlag)),
          position: Position,
        }),
      ),
      run: async (request, reply) => {
        const { source, then } = await readingOf(queries, request.query);
        const state = await environmentAt(source)(addressIn(request), then);
        return standing(reply, then.position, state);
      },
    });

    const aboutDiff = 'What changed for the applications of an environment between two moments';
    query('/projects/:project/environments/:environment/diff', aboutDiff, {
      params: EnvironmentParams,
      query: diffEnds,
      answer: answering<EnvironmentDiff & { position: Position }>(Diff),
      run: async (request, reply) => {
        const { before, after, position } = await endsOf(queries, request.query);
        const diff = await queries.environmentDiff(addressIn(request), before, after);
        return standing(reply, position, diff);
      },
    });

    const aboutOneEnvironment = 'One flag as it is in one environment, now or at a moment';
    query('/projects/:project/flags/:flag/environments/:environment', aboutOneEnvironment, {
      tag: 'flags',
      params: ConfigurationParams,
      query: { ...ownMoment, ...source },
      answer: answering<OneFlag>(
        Type.Object({
          project: Type.String(),
          environment: Type.String(),
          flag: Type.Object(environmentFlag),
          position: Position,
        }),
      ),
      run: async (request, reply) => {
        const { organizationId, ...names } = addressIn(request);
        const stream = flagStream(projectIdOf(organizationId, names.project), names.flag);
        const { source, then } = await readingOf(queries, request.query, stream);
        const flag = await flagInEnvironment(source)({ organizationId, ...names }, then);
        void reply.header('etag', `"${flag.revision}"`);
        return standing(reply, then.position, { ...names, flag });
      },
    });
  };

type Listed = Readonly<{ items: readonly ProjectEnvironment[]; position: Position }>;

const Status = Type.Union([Type.Literal('active'), Type.Literal('deleted'), Type.Literal('all')]);

/** Environments of a project, now and at any past moment. */
export const environmentQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    const query = queryRouter(app, queries, { tag: 'environments', permission: 'project.read' });

    const { project: projectAt } = queries.sources['read-model'];

    const aboutEnvironments = 'List environments in the order they were added, now or at a moment';
    query('/projects/:project/environments', aboutEnvironments, {
      params: ProjectParams,
      query: { status: Type.Optional(Status), ...moment },
      answer: answering<Listed>(
        Type.Object({ items: Type.Array(Environment), position: Position }),
      ),
      run: async (request, reply) => {
        const { status = 'active', ...asked } = request.query;
        const then = await queries.resolveMoment(asked);
        const { environments } = await projectAt(addressIn(request), then);
        const items = environments.filter((one) => status === 'all' || one.status === status);
        return standing(reply, then.position, { items });
      },
    });

    const aboutOneEnvironment = 'An environment, now or at a moment; also when it is deleted';
    query('/projects/:project/environments/:environment', aboutOneEnvironment, {
      params: EnvironmentParams,
      query: moment,
      answer: answering<ProjectEnvironment & { position: Position }>(
        Type.Composite([Environment, Type.Object({ position: Position })]),
      ),
      run: async (request, reply) => {
        const then = await queries.resolveMoment(request.query);
        const project = await projectAt(addressIn(request), then);
        return standing(reply, then.position, environmentIn(project, request.params.environment));
      },
    });
  };
