import { commandRoutes, organizationRoutes, queryRoutes } from '../api/all-routes.js';
import { auditTrailRoutes } from '../api/audit/trail.js';
import { evaluationRoutes } from '../api/evaluation/routes.js';
import { apiTokenRoutes } from '../api/keys/api-tokens.js';
import { applicationKeyRoutes, keyReportRoutes } from '../api/keys/application-keys.js';
import { usageRoutes } from '../api/organization/queries.js';
import { personalDataRoutes } from '../api/personal-data.js';
import { flagdExportRoutes } from '../api/projects/flagd.js';
import { type Position } from '../domain/position.js';
import { type StartedApplicationKeys } from '../identity/keys.js';
import { environmentStates } from '../queries/environments/environment-states.js';
import { liveFlagKeys, type Queries } from '../queries/queries.js';
import { type Authentication } from './authentication.js';
import { type WriteSide } from './write-side.js';

type Parts = Readonly<{
  authentication: Authentication;
  persons: Parameters<typeof personalDataRoutes>[0];
  organizations: Parameters<typeof organizationRoutes>[0];
  commands: WriteSide;
  queries: Queries;
  /** Position of the last event of the log. */
  head: () => Promise<Position>;
  evaluation: Parameters<typeof evaluationRoutes>[0];
  keys: StartedApplicationKeys;
  apiTokens: Parameters<typeof apiTokenRoutes>[0];
  trail: Parameters<typeof auditTrailRoutes>[0];
  quotas: Parameters<typeof usageRoutes>[0];
}>;

/** What is served of the API beside OFREP. */
export const routesOf = (parts: Parts) => [
  ...parts.authentication.routes,
  personalDataRoutes(parts.persons),
  ...organizationRoutes(parts.organizations),
  ...commandRoutes({
    ...parts.commands,
    environmentStates: environmentStates(parts.queries, parts.head),
    liveFlagKeys: liveFlagKeys(parts.queries, parts.head),
  }),
  evaluationRoutes(parts.evaluation),
  flagdExportRoutes(parts.evaluation),
  applicationKeyRoutes(parts.keys),
  keyReportRoutes(parts.keys.report),
  apiTokenRoutes(parts.apiTokens),
  auditTrailRoutes(parts.trail),
  ...queryRoutes(parts.queries),
  usageRoutes(parts.quotas),
];
