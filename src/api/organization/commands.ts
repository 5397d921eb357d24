import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Asker } from '../../commands/organization/guards.js';
import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type Joining, type Organizations } from '../../identity/ports.js';
import { aggregateRouter, commandRouter, commandSender } from '../http/send-command.js';
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

const ofMembers = { tag: 'organization', permission: 'members.manage' } as const;
const OWN = { permission: 'organization.manage' } as const;
const changesOf = organizationChangesBetween;

/** Inviting, and taking it back. The token goes to the person only: not into the answer. */
export const invitationCommandRoutes =
  ({ handle, inviting }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    const invite = commandRouter(app, ofMembers);
    invite('POST', '/invitations', 'Invite a person', {
      body: NewInvitation,
      quota: { one: 'members' },
      isCreation: true,
      answer: InvitedAnswer,
      run: async (request, reply) => {
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
        const send = commandSender(invited.handle, changesOf);
        const answer = await send(request, reply, command, `/api/v1/invitations/${invitationId}`);
        return { ...answer, invitationId };
      },
    });

    const command = aggregateRouter(app, { ...ofMembers, handle, changesOf });
    command('POST', '/invitations/:invitation/revoke', 'Revoke an invitation', {
      params: InvitationParams,
      toCommand: (request) => {
        const { organizationId } = request.caller;
        const invitationId = request.params.invitation;
        const data = { organizationId, invitationId, by: askerOf(request) };
        return { type: 'RevokeInvitation', data };
      },
    });
  };

/** Commands on the organization and its members. */
export const memberCommandRoutes =
  ({ handle, handleLeaving }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, { ...ofMembers, handle, changesOf });
    const leaving = aggregateRouter(app, { ...ofMembers, handle: handleLeaving, changesOf });

    command('PATCH', '/organization', 'Rename the organization', {
      ...OWN,
      body: NewName,
      toCommand: (request) => {
        const { organizationId } = request.caller;
        const data = { organizationId, ...request.body, by: askerOf(request) };
        return { type: 'RenameOrganization', data };
      },
    });

    command('POST', '/organization/ownership', 'Hand your ownership over to another member', {
      ...OWN,
      body: Ownership,
      toCommand: (request) => {
        const { to, role = 'admin' } = request.body;
        const { organizationId } = request.caller;
        const data = { organizationId, from: userIn(request), to, role };
        return { type: 'HandOverOwnership', data };
      },
    });

    command('PUT', '/members/:user/role', 'Replace all roles of a member', {
      params: UserParams,
      body: Roles,
      toCommand: (request) => {
        const { role, projects = {} } = request.body;
        const { organizationId } = request.caller;
        const userId = request.params.user;
        const data = { organizationId, userId, role, projects, by: askerOf(request) };
        return { type: 'ChangeMemberRole', data };
      },
    });

    leaving('DELETE', '/members/:user', 'Remove a member', {
      params: UserParams,
      toCommand: (request) => {
        const { organizationId } = request.caller;
        const data = { organizationId, userId: request.params.user, by: askerOf(request) };
        return { type: 'RemoveMember', data };
      },
    });

    leaving('POST', '/members/leave', 'Leave the organization', {
      permission: 'own.session',
      toCommand: (request) => ({
        type: 'LeaveOrganization',
        data: { organizationId: request.caller.organizationId, userId: userIn(request) },
      }),
    });
  };

const LOCATION = '/api/v1/organization';

const send = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { organizationId, userId, command, handle }: Joining,
) => {
  const sender = commandSender(handle, changesOf);
  const answer = await sender(request, reply, command, LOCATION);
  return { ...answer, organizationId, userId };
};

/** Ways in, for those who are not known yet. */
export const registrationRoutes =
  ({ registering, accepting }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = commandRouter(app, { tag: 'organization' });
    const joining = {
      access: 'public',
      budget: 'login',
      security: [],
      isCreation: true,
      answer: AccountAnswer,
    } as const;

    command('POST', '/organizations', 'Register an organization with its first owner', {
      ...joining,
      body: Registration,
      run: async (request, reply) => {
        const { name, owner } = request.body;
        const { commandId } = request;
        return send(request, reply, registering({ name, ...owner, commandId }));
      },
    });

    command('POST', '/invitations/accept', 'Accept an invitation', {
      ...joining,
      body: Acceptance,
      run: async (request, reply) => send(request, reply, await accepting(request.body)),
    });
  };
