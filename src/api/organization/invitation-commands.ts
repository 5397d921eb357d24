import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { commandSchema, creationSchema, nameCommand } from '../command-route.js';
import { commandSender } from '../send-command.js';
import { askerOf } from './asker.js';
import { type Organizations } from './organizations.js';
import { InvitationParams, InvitedAnswer, NewInvitation } from './organization-schemas.js';

const config = { permission: 'members.manage' } as const;

/** Inviting, and taking it back. The token goes to the person only: not into the answer. */
export const invitationCommandRoutes =
  ({ handle, inviting }: Organizations): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preValidation', nameCommand);

    const about = creationSchema('organization', 'Invite somebody');
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
