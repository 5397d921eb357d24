import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Handle } from '../../commands/streams/command.js';
import { type ProjectCommand } from '../../commands/project/project.js';
import { projectChangesBetween } from '../../domain/changes.js';
import { type Project, type ProjectEvent } from '../../domain/project.js';
import { projectIdOf } from '../../domain/streams.js';
import { projectIn, projectPath } from '../http/command-route.js';
import { closed, Description, Key, Name } from '../http/schemas.js';
import { aggregateRouter } from '../http/send-command.js';

type ProjectCommandDeps = Readonly<{
  projects: Handle<Project, ProjectCommand, ProjectEvent>;
}>;

const ProjectParams = Type.Object({ project: Key });

const Origin = Type.String({
  pattern: '^https?://[^/?#,\\s]+$',
  maxLength: 255,
  description: 'In the form that browsers send: https://shop.example.com',
});

const environmentDetails = {
  name: Type.Optional(Name),
  description: Type.Optional(Description),
  color: Type.Optional(Type.String({ pattern: '^#[0-9A-Fa-f]{6}$' })),
  isProduction: Type.Optional(Type.Boolean()),
  isProtected: Type.Optional(
    Type.Boolean({ description: 'Only admins may change what it serves.' }),
  ),
  allowedOrigins: Type.Optional(
    Type.Union([Type.Array(Origin, { maxItems: 50, uniqueItems: true }), Type.Null()], {
      description: 'Of web pages that may evaluate in it; null: those of the installation.',
    }),
  ),
};

const NewEnvironment = Type.Object({ key: Key, ...environmentDetails }, closed);

const NewProject = Type.Object(
  {
    key: Key,
    name: Type.Optional(Name),
    description: Type.Optional(Description),
    environments: Type.Optional(Type.Array(NewEnvironment, { maxItems: 50 })),
  },
  closed,
);

const ProjectDetails = Type.Object(
  { name: Type.Optional(Name), description: Type.Optional(Description) },
  closed,
);

const ofProjects = ({ projects }: ProjectCommandDeps) =>
  ({
    permission: 'project.manage',
    handle: projects,
    changesOf: projectChangesBetween,
  }) as const;

/** Commands on projects. */
export const projectCommandRoutes =
  (deps: ProjectCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { tag: 'projects', ...ofProjects(deps) });

    command('POST', '/projects', 'Create a project', {
      permission: 'projects.create',
      body: NewProject,
      quota: { one: 'projects' },
      locationOf: ({ body }) => projectPath(body.key),
      toCommand: ({ caller: { organizationId }, body }) => {
        const { environments = [], ...details } = body;
        const data = {
          organizationId,
          projectId: projectIdOf(organizationId, details.key),
          ...details,
          environments: environments.map(({ key, ...rest }) => ({ environment: key, ...rest })),
        };
        return { type: 'CreateProject', data };
      },
    });

    command('PATCH', '/projects/:project', 'Rename a project or change its description', {
      params: ProjectParams,
      body: ProjectDetails,
      toCommand: (request) => ({
        type: 'ChangeProjectDetails',
        data: { projectId: projectIn(request), ...request.body },
      }),
    });

    command('DELETE', '/projects/:project', 'Delete a project', {
      params: ProjectParams,
      toCommand: (request) => ({
        type: 'DeleteProject',
        data: { projectId: projectIn(request) },
      }),
    });

    command('POST', '/projects/:project/restore', 'Restore a project', {
      params: ProjectParams,
      quota: { one: 'projects', bytes: 'project' },
      toCommand: (request) => ({
        type: 'RestoreProject',
        data: { projectId: projectIn(request) },
      }),
    });
  };

const ENVIRONMENT = '/projects/:project/environments/:environment';
const EnvironmentParams = Type.Object({ project: Key, environment: Key });

type Place = Parameters<typeof projectIn>[0] & { params: { environment: string } };

const environmentIn = (request: Place) => ({
  projectId: projectIn(request),
  environment: request.params.environment,
});

/** Commands on the environments of a project. */
export const environmentCommandRoutes =
  (deps: ProjectCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { tag: 'environments', ...ofProjects(deps) });

    command('POST', '/projects/:project/environments', 'Add an environment', {
      params: Type.Object({ project: Key }),
      body: NewEnvironment,
      quota: { bytes: 'environment' },
      locationOf: ({ params, body }) => `${projectPath(params.project)}/environments/${body.key}`,
      toCommand: (request) => {
        const { key: environment, ...details } = request.body;
        const data = { projectId: projectIn(request), environment, ...details };
        return { type: 'AddEnvironment', data };
      },
    });

    command('PATCH', ENVIRONMENT, 'Rename an environment or change its details', {
      params: EnvironmentParams,
      body: Type.Object(environmentDetails, closed),
      toCommand: (request) => ({
        type: 'ChangeEnvironmentDetails',
        data: { ...environmentIn(request), ...request.body },
      }),
    });

    command('DELETE', ENVIRONMENT, 'Delete an environment', {
      params: EnvironmentParams,
      toCommand: (request) => ({ type: 'DeleteEnvironment', data: environmentIn(request) }),
    });

    command('POST', `${ENVIRONMENT}/restore`, 'Restore an environment', {
      params: EnvironmentParams,
      quota: { bytes: 'environment' },
      toCommand: (request) => ({ type: 'RestoreEnvironment', data: environmentIn(request) }),
    });
  };
