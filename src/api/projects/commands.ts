import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Handle } from '../../commands/command.js';
import { type ProjectCommand } from '../../commands/project/project.js';
import { projectChangesBetween } from '../../domain/changes.js';
import { type Project, type ProjectEvent } from '../../domain/project.js';
import { projectIdOf } from '../../domain/streams.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../http/command-route.js';
import { closed, Description, Key, Name } from '../http/schemas.js';
import { commandSender } from '../http/send-command.js';

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

/** Commands on projects. */
export const projectCommandRoutes =
  ({ projects }: ProjectCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(projects, projectChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects',
      {
        config: { permission: 'projects.create', quota: { one: 'projects' } },
        schema: { ...creationSchema('projects', 'Create a project'), body: NewProject },
      },
      async (request, reply) => {
        const { organizationId } = request.caller;
        const { environments = [], ...details } = request.body;
        const data = {
          organizationId,
          projectId: projectIdOf(organizationId, details.key),
          ...details,
          environments: environments.map(({ key, ...rest }) => ({ environment: key, ...rest })),
        };
        return send(request, reply, { type: 'CreateProject', data }, projectPath(details.key));
      },
    );

    app.patch(
      '/projects/:project',
      {
        config: { permission: 'project.manage' },
        schema: {
          ...commandSchema('projects', 'Rename a project or change its description'),
          params: ProjectParams,
          body: ProjectDetails,
        },
      },
      async (request, reply) => {
        const data = { projectId: projectIn(request), ...request.body };
        return send(request, reply, { type: 'ChangeProjectDetails', data });
      },
    );

    app.delete(
      '/projects/:project',
      {
        config: { permission: 'project.manage' },
        schema: { ...commandSchema('projects', 'Delete a project'), params: ProjectParams },
      },
      async (request, reply) => {
        const data = { projectId: projectIn(request) };
        return send(request, reply, { type: 'DeleteProject', data });
      },
    );

    app.post(
      '/projects/:project/restore',
      {
        config: { permission: 'project.manage', quota: { one: 'projects', bytes: 'project' } },
        schema: { ...commandSchema('projects', 'Restore a project'), params: ProjectParams },
      },
      async (request, reply) => {
        const data = { projectId: projectIn(request) };
        return send(request, reply, { type: 'RestoreProject', data });
      },
    );
  };

const EnvironmentParams = Type.Object({ project: Key, environment: Key });

/** Commands on the environments of a project. */
export const environmentCommandRoutes =
  ({ projects }: ProjectCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(projects, projectChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/environments',
      {
        config: { permission: 'project.manage', quota: { bytes: 'environment' } },
        schema: {
          ...creationSchema('environments', 'Add an environment'),
          params: Type.Object({ project: Key }),
          body: NewEnvironment,
        },
      },
      async (request, reply) => {
        const { key: environment, ...details } = request.body;
        const data = { projectId: projectIn(request), environment, ...details };
        const at = `${projectPath(request.params.project)}/environments/${environment}`;
        return send(request, reply, { type: 'AddEnvironment', data }, at);
      },
    );

    app.patch(
      '/projects/:project/environments/:environment',
      {
        config: { permission: 'project.manage' },
        schema: {
          ...commandSchema('environments', 'Rename an environment or change its details'),
          params: EnvironmentParams,
          body: Type.Object(environmentDetails, closed),
        },
      },
      async (request, reply) => {
        const { environment } = request.params;
        const data = { projectId: projectIn(request), environment, ...request.body };
        return send(request, reply, { type: 'ChangeEnvironmentDetails', data });
      },
    );

    app.delete(
      '/projects/:project/environments/:environment',
      {
        config: { permission: 'project.manage' },
        schema: {
          ...commandSchema('environments', 'Delete an environment'),
          params: EnvironmentParams,
        },
      },
      async (request, reply) => {
        const { environment } = request.params;
        const data = { projectId: projectIn(request), environment };
        return send(request, reply, { type: 'DeleteEnvironment', data });
      },
    );

    app.post(
      '/projects/:project/environments/:environment/restore',
      {
        config: { permission: 'project.manage', quota: { bytes: 'environment' } },
        schema: {
          ...commandSchema('environments', 'Restore an environment'),
          params: EnvironmentParams,
        },
      },
      async (request, reply) => {
        const { environment } = request.params;
        const data = { projectId: projectIn(request), environment };
        return send(request, reply, { type: 'RestoreEnvironment', data });
      },
    );
  };
