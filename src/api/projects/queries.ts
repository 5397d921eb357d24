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
  moment,
  ownMoment,
  paging,
  ProjectParams,
  queryRouter,
  readingOf,
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
    const query = queryRouter(app, queries, { tag: 'projects', permission: 'project.read' });

    query('/projects', 'List projects', {
      query: { status: Type.Optional(Status), ...paging },
      answer: answering<Page<ProjectListItem> & Standing>(pageOf(ProjectItem)),
      run: async (request, reply) => {
        const { organizationId } = request.caller;
        const { position } = await queries.resolveMoment({});
        const page = await queries.listProjects({
          organizationId,
          ...visibleTo(request.caller, 'project.read'),
          ...request.query,
        });
        return standing(reply, position, page);
      },
    });

    query('/projects/:project', 'A project with its environments, now or at a moment', {
      params: ProjectParams,
      query: { ...ownMoment, ...source },
      answer: answering<Told<ProjectView> & Standing>(Project),
      run: async (request, reply) => {
        const address = addressIn(request);
        const stream = projectStream(projectIdOf(address.organizationId, address.project));
        const { source, then } = await readingOf(queries, request.query, stream);
        const project = await source.project(address, then);
        void reply.header('etag', `"${project.revision}"`);
        return standing(reply, then.position, toldTo(request, project));
      },
    });

    const aboutState = 'A whole project with all its flags and segments, now or at a moment';
    query('/projects/:project/state', aboutState, {
      params: ProjectParams,
      query: { ...moment, ...source },
      answer: answering<ToldState & Standing>(State),
      run: async (request, reply) => {
        const { source, then } = await readingOf(queries, request.query);
        const state = await projectState(source)(addressIn(request), then);
        return standing(reply, then.position, {
          ...state,
          project: toldTo(request, state.project),
        });
      },
    });
  };
