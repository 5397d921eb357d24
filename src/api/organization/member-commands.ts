import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { commandSchema, nameCommand } from '../command-route.js';
import { commandSender } from '../send-command.js';
import { askerOf, userIn } from './asker.js';
import { type Organizations } from './organizations.js';
import { NewName, Ownership, Roles, UserParams } from './organization-schemas.js';

const MANAGE = { permission: 'members.manage' } as const;
const OWN = { permission: 'organization.manage' } as const;

/** Commands on the organization and its members. */
export const memberCommandRoutes =
  ({ handle, handleLeaving }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(handle, organizationChangesBetween);
    const sendLeaving = commandSender(handleLeaving, organizationChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.patch(
      '/organization',
      {
        config: OWN,
        schema: { ...commandSchema('organization', 'Rename the organization'), body: NewName },
      },
      async (request, reply) => {
        const { organizationId } = request.caller;
        const data = { organizationId, ...request.body, by: askerOf(request) };
        return send(request, reply, { type: 'RenameOrganization', data });
      },
    );

    app.post(
      '/organization/ownership',
      {
        config: OWN,
        schema: {
          ...commandSchema('organization', 'Hand the own ownership over to another member'),
          body: Ownership,
        },
      },
      async (request, reply) => {
        const { to, role = 'admin' } = request.body;
        const { organizationId } = request.caller;
        const data = { organizationId, from: userIn(request), to, role };
        return send(request, reply, { type: 'HandOverOwnership', data });
      },
    );

    app.put(
      '/members/:user/role',
      {
        config: MANAGE,
        schema: {
          ...commandSchema('organization', 'Replace all roles of a member'),
          params: UserParams,
          body: Roles,
        },
      },
      async (request, reply) => {
        const { role, projects = {} } = request.body;
        const { organizationId } = request.caller;
        const userId = request.params.user;
        const data = { organizationId, userId, role, projects, by: askerOf(request) };
        return send(request, reply, { type: 'ChangeMemberRole', data });
      },
    );

    app.delete(
      '/members/:user',
      {
        config: MANAGE,
        schema: { ...commandSchema('organization', 'Remove a member'), params: UserParams },
      },
      async (request, reply) => {
        const { organizationId } = request.caller;
        const data = { organizationId, userId: request.params.user, by: askerOf(request) };
        return sendLeaving(request, reply, { type: 'RemoveMember', data });
      },
    );

    app.post(
      '/members/leave',
      {
        config: { permission: 'own.session' },
        schema: commandSchema('organization', 'Leave the organization'),
      },
      async (request, reply) => {
        const data = { organizationId: request.caller.organizationId, userId: userIn(request) };
        return sendLeaving(request, reply, { type: 'LeaveOrganization', data });
      },
    );
  };
