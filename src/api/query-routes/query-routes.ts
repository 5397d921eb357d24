import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Queries } from '../../queries/queries.js';
import { auditRoutes } from './audit.js';
import { environmentStateRoutes } from './environment-state.js';
import { environmentQueryRoutes } from './environments.js';
import { flagHistoryRoutes } from './flag-history.js';
import { flagQueryRoutes } from './flags.js';
import { organizationQueryRoutes } from './organization.js';
import { projectQueryRoutes } from './projects.js';
import { segmentHistoryRoutes } from './segments/segment-history.js';
import { segmentQueryRoutes } from './segments/segments.js';
import { verificationRoutes } from './verification.js';

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
