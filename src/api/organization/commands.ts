import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Asker } from '../../commands/organization/guards.js';
import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type Joining, type Organizations } from '../../identity/ports.js';
import { commandSchema, creationSchema, nameCommand } from '../http/command-route.js';
import { commandSender } from '../http/send-command.js';
import {
  Acceptance,
  AccountAnswer,
  InvitationParams,
  InvitedAnswer,
  NewInvitation,
  NewName,
  Ownership,
  Registration,
  Roles,
  UserParams,
} from './schemas.js';

/** Who asks, as the stream of the organization knows them. */
const askerOf = ({ caller: { actor, grants } }: Pick<FastifyRequest, 'caller'>): Asker =>
  actor.type === 'user' ? { userId: actor.id } : { role: grants.role };

/** @throws DomainError `forbidden` for a caller that is no user */
const userIn = ({ caller: { actor } }: Pick<FastifyRequest, 'caller'>): string => {
  if (actor.type === 'user') return actor.id;
  throw new DomainError('forbidden', 'Only a member who has logged in can do this.');
};

const config = { permission: 'members.manage' } as const;

/** Inviting, and taking it back. The token goes to the person only: not into the answer. */
export const invitationCommandRoutes =
  ({ handle, inviting }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preValidation', nameCommand);

    const about = creationSchema('organization', 'Invite a person');
    const response = { ...about.response, 200: InvitedAnswer, 201: InvitedAnswer };
    app.post(
      '/invitations',
      {
        config: { ...config, quota: { one: 'members' } },
        schema: { ...about, body: NewInvitation, response },
      },
      async (request, reply) => {
        const { projects = {}, expiresInDays = 7, ...person } = request.body;
        const { organizationId } = request.caller;
        const { invitationId, command, ...invited } = inviting({
          organizationId,
          by: askerOf(request),
          ...person,
          projects,
          expiresInDays,
          commandId: request.commandId,
        });
        const send = commandSender(invited.handle, organizationChangesBetween);
        const answer = await send(request, reply, command, `/api/v1/invitations/${invitationId}`);
        return { ...answer, invitationId };
      },
    );

    app.post(
      '/invitations/:invitation/revoke',
      {
        config,
        schema: {
          ...commandSchema('organization', 'Revoke an invitation'),
          params: InvitationParams,
        },
      },
      async (request, reply) => {
        const { organizationId } = request.caller;
        const invitationId = request.params.invitation;
        const data = { organizationId, invitationId, by: askerOf(request) };
        const send = commandSender(handle, organizationChangesBetween);
        return send(request, reply, { type: 'RevokeInvitation', data });
      },
    );
  };

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
          ...commandSchema('organization', 'Hand your ownership over to another member'),
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

const LOCATION = '/api/v1/organization';

const send = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { organizationId, userId, command, handle }: Joining,
) => {
  const sender = commandSender(handle, organizationChangesBetween);
  const answer = await sender(request, reply, command, LOCATION);
  return { ...answer, organizationId, userId };
};

/** Ways in, for those who are not known yet. */
export const registrationRoutes =
  ({ registering, accepting }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preValidation', nameCommand);
    const config = { access: 'public', budget: 'login' } as const;
    const joiningSchema = (summary: string) => {
      const about = creationSchema('organization', summary);
      const response = { ...about.response, 200: AccountAnswer, 201: AccountAnswer };
      return { ...about, security: [], response };
    };

    app.post(
      '/organizations',
      {
        config,
        schema: {
          ...joiningSchema('Register an organization with its first owner'),
          body: Registration,
        },
      },
      async (request, reply) => {
        const { name, owner } = request.body;
        const { commandId } = request;
        return send(request, reply, registering({ name, ...owner, commandId }));
      },
    );

    app.post(
      '/invitations/accept',
      { config, schema: { ...joiningSchema('Accept an invitation'), body: Acceptance } },
      async (request, reply) => send(request, reply, await accepting(request.body)),
    );
  };
