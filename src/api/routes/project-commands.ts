import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type ProjectCommand } from '../../commands/project-decider.js';
import { projectChangesBetween } from '../../domain/changes.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { type Project } from '../../domain/project/project.js';
import { projectIdOf } from '../../domain/streams.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../command-route.js';
import { closed, Description, Key, Name } from '../schemas.js';
import { commandSender } from '../send-command.js';
import { type Handle } from '../../commands/command.js';

export type ProjectCommandDeps = Readonly<{
  projects: Handle<Project, ProjectCommand, ProjectEvent>;
}>;

const ProjectParams = Type.Object({ project: Key });

const Origin = Type.String({
  pattern: '^https?://[^/?#,\\s]+$',
  maxLength: 255,
  description: 'As browsers send it: https://shop.example.com',
});

export const environmentDetails = {
  name: Type.Optional(Name),
  description: Type.Optional(Description),
  color: Type.Optional(Type.String({ pattern: '^#[0-9A-Fa-f]{6}$' })),
  isProduction: Type.Optional(Type.Boolean()),
  isProtected: Type.Optional(
    Type.Boolean({ description: 'What it is served is changed by admins only.' }),
  ),
  allowedOrigins: Type.Optional(
    Type.Union([Type.Array(Origin, { maxItems: 50, uniqueItems: true }), Type.Null()], {
      description: 'Of web pages that may evaluate in it; null: those of the installation.',
    }),
  ),
};

export const NewEnvironment = Type.Object({ key: Key, ...environmentDetails }, closed);

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

/** Commands on projects; those on their environments are in environment-commands.ts. */
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
