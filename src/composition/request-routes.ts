import { organizationRoutes } from '../api/organization/organization-routes.js';
import { personalDataRoutes } from '../api/personal-data/routes.js';
import { usageRoutes } from '../api/query-routes/usage.js';
import { queryRoutes } from '../api/query-routes/query-routes.js';
import { auditTrailRoutes } from '../api/routes/audit-trail.js';
import { commandRoutes } from '../api/routes/command-routes.js';
import { evaluationRoutes } from '../api/routes/evaluation.js';
import { flagdExportRoutes } from '../api/routes/flagd-export.js';
import { apiTokenRoutes } from '../api/routes/keys/api-tokens.js';
import { applicationKeyRoutes } from '../api/routes/keys/application-keys.js';
import { keyReportRoutes } from '../api/routes/keys/key-report.js';
import { type Position } from '../domain/position.js';
import { liveFlagKeys } from '../queries/flags/live-flag-keys.js';
import { environmentStates } from '../queries/environments/environment-states.js';
import { type Queries } from '../queries/queries.js';
import { type StartedApplicationKeys } from './application-keys.js';
import { type Authentication } from './authentication/start-authentication.js';
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
