import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Organizations } from '../identity/ports.js';
import { type Queries } from '../queries/queries.js';
import { auditRoutes, verificationRoutes } from './audit/audit-log.js';
import { flagCommandRoutes, timeTravelCommandRoutes } from './flags/commands.js';
import { configurationCommandRoutes, targetCommandRoutes } from './flags/configuration-commands.js';
import { flagHistoryRoutes } from './flags/history.js';
import { flagQueryRoutes } from './flags/queries.js';
import { ruleCommandRoutes } from './flags/rule-commands.js';
import {
  invitationCommandRoutes,
  memberCommandRoutes,
  registrationRoutes,
} from './organization/commands.js';
import { acceptPage, organizationQueryRoutes } from './organization/queries.js';
import { environmentCommandRoutes, projectCommandRoutes } from './projects/commands.js';
import { environmentQueryRoutes, environmentStateRoutes } from './projects/environment-queries.js';
import { importRoutes } from './projects/flagd.js';
import { promoteEnvironmentRoutes } from './projects/promote-environment.js';
import { projectQueryRoutes } from './projects/queries.js';
import { revertEnvironmentRoutes } from './projects/revert-environment.js';
import { segmentCommandRoutes, segmentKeyCommandRoutes } from './segments/commands.js';
import { segmentHistoryRoutes } from './segments/history.js';
import { segmentQueryRoutes } from './segments/queries.js';
import { segmentRuleCommandRoutes } from './segments/rule-commands.js';

/** Every route that changes an organization or its members; to be registered under /api/v1. */
export const organizationRoutes = (
  organizations: Organizations,
): readonly FastifyPluginAsyncTypebox[] => [
  registrationRoutes(organizations),
  acceptPage,
  memberCommandRoutes(organizations),
  invitationCommandRoutes(organizations),
];

/** Every route that only asks; to be registered under /api/v1. */
export const queryRoutes = (queries: Queries): readonly FastifyPluginAsyncTypebox[] => [
  organizationQueryRoutes(queries),
  projectQueryRoutes(queries),
  environmentQueryRoutes(queries),
  environmentStateRoutes(queries),
  flagQueryRoutes(queries),
  flagHistoryRoutes(queries),
  segmentQueryRoutes(queries),
  segmentHistoryRoutes(queries),
  auditRoutes(queries),
  verificationRoutes(queries),
];

type CommandDeps = Parameters<typeof projectCommandRoutes>[0] &
  Parameters<typeof flagCommandRoutes>[0] &
  Parameters<typeof configurationCommandRoutes>[0] &
  Parameters<typeof segmentCommandRoutes>[0] &
  Parameters<typeof segmentKeyCommandRoutes>[0] &
  Parameters<typeof timeTravelCommandRoutes>[0] &
  Parameters<typeof importRoutes>[0] &
  Parameters<typeof revertEnvironmentRoutes>[0] &
  Parameters<typeof promoteEnvironmentRoutes>[0];

/** Every command on projects and what is in them; to be registered under /api/v1. */
export const commandRoutes = (deps: CommandDeps): readonly FastifyPluginAsyncTypebox[] => [
  projectCommandRoutes(deps),
  environmentCommandRoutes(deps),
  flagCommandRoutes(deps),
  configurationCommandRoutes(deps),
  targetCommandRoutes(deps),
  ruleCommandRoutes(deps),
  segmentCommandRoutes(deps),
  segmentKeyCommandRoutes(deps),
  segmentRuleCommandRoutes(deps),
  timeTravelCommandRoutes(deps),
  importRoutes(deps),
  revertEnvironmentRoutes(deps),
  promoteEnvironmentRoutes(deps),
];
