import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { creationSchema, nameCommand } from '../command-route.js';
import { commandSender } from '../send-command.js';
import { type Joining, type Organizations } from './organizations.js';
import { AccountAnswer, Acceptance, Registration } from './organization-schemas.js';

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
