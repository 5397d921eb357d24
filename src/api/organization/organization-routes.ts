import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { invitationCommandRoutes } from './invitation-commands.js';
import { memberCommandRoutes } from './member-commands.js';
import { type Organizations } from './organizations.js';
import { acceptPage } from './accept-page.js';
import { registrationRoutes } from './registration.js';

/** Every route that changes an organization or its members; to be registered under /api/v1. */
export const organizationRoutes = (
  organizations: Organizations,
): readonly FastifyPluginAsyncTypebox[] => [
  registrationRoutes(organizations),
  acceptPage,
  memberCommandRoutes(organizations),
  invitationCommandRoutes(organizations),
];
