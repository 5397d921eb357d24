import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { projectChangesBetween } from '../../domain/changes.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../command-route.js';
import { closed, Key } from '../schemas.js';
import { commandSender } from '../send-command.js';
import { environmentDetails, NewEnvironment, type ProjectCommandDeps } from './project-commands.js';

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
