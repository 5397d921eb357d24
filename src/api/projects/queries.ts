import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { projectIdOf, projectStream } from '../../domain/streams.js';
import { projectState, type ProjectState } from '../../queries/environments/environment-state.js';
import { type Page } from '../../queries/paging.js';
import { type ProjectListItem, type ProjectView } from '../../queries/projects.js';
import { type Queries } from '../../queries/queries.js';
import { visibleTo } from '../http/permissions.js';
import {
  addressIn,
  awaitPosition,
  moment,
  ownMoment,
  paging,
  ProjectParams,
  query,
  querySchema,
  source,
  standing,
  type Told,
  toldTo,
} from '../http/query-route.js';
import { Position, Revision } from '../http/schemas.js';
import {
  answering,
  flagContent,
  FlagStatus,
  nullable,
  pageOf,
  projectProperties,
  segmentContent,
} from '../http/view-schemas.js';

type Standing = Readonly<{ position: Position }>;
type ToldState = Omit<ProjectState, 'project'> & Readonly<{ project: Told<ProjectView> }>;

const ProjectItem = Type.Object({
  key: Type.String(),
  name: Type.String(),
  description: Type.String(),
  status: Type.String(),
  environments: Type.Array(Type.String(), { description: 'Keys of those not deleted.' }),
  revision: Revision,
  createdAt: Type.String(),
  updatedAt: Type.String(),
});

const Status = Type.Union([Type.Literal('active'), Type.Literal('deleted'), Type.Literal('all')]);

const Project = Type.Object({ ...projectProperties, position: Position });

const State = Type.Object({
  project: Type.Object(projectProperties),
  flags: Type.Array(
    Type.Object({
      ...flagContent,
      statusBefore: nullable(FlagStatus),
      revision: Revision,
      position: Position,
      updatedAt: Type.String(),
    }),
  ),
  segments: Type.Array(
    Type.Object({
      ...segmentContent,
      revision: Revision,
      position: Position,
      updatedAt: Type.String(),
    }),
  ),
  position: Position,
});

/** Projects, now and at any past moment; their whole state. */
export const projectQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/projects',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'projects',
            'List projects',
            answering<Page<ProjectListItem> & Standing>(pageOf(ProjectItem)),
          ),
          querystring: query({ status: Type.Optional(Status), ...paging }),
        },
      },
      async (request, reply) => {
        const { organizationId } = request.caller;
        const { position } = await queries.resolveMoment({});
        const page = await queries.listProjects({
          organizationId,
          ...visibleTo(request.caller, 'project.read'),
          ...request.query,
        });
        return standing(reply, position, page);
      },
    );

    app.get(
      '/projects/:project',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'projects',
            'A project with its environments, now or at a moment',
            answering<Told<ProjectView> & Standing>(Project),
          ),
          params: ProjectParams,
          querystring: query({ ...ownMoment, ...source }),
        },
      },
      async (request, reply) => {
        const address = addressIn(request);
        const { source: from = 'read-model', ...asked } = request.query;
        const stream = projectStream(projectIdOf(address.organizationId, address.project));
        const then = await queries.resolveMoment(asked, stream);
        const project = await queries.sources[from].project(address, then);
        void reply.header('etag', `"${project.revision}"`);
        return standing(reply, then.position, toldTo(request, project));
      },
    );

    app.get(
      '/projects/:project/state',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'projects',
            'A whole project with all its flags and segments, now or at a moment',
            answering<ToldState & Standing>(State),
          ),
          params: ProjectParams,
          querystring: query({ ...moment, ...source }),
        },
      },
      async (request, reply) => {
        const { source: from = 'read-model', ...asked } = request.query;
        const then = await queries.resolveMoment(asked);
        const state = await projectState(queries.sources[from])(addressIn(request), then);
        return standing(reply, then.position, {
          ...state,
          project: toldTo(request, state.project),
        });
      },
    );
  };
