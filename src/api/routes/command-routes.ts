import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { configurationCommandRoutes } from './configuration-commands.js';
import { environmentCommandRoutes } from './environment-commands.js';
import { flagCommandRoutes } from './flag-commands.js';
import { importRoutes } from './import.js';
import { type ProjectCommandDeps, projectCommandRoutes } from './project-commands.js';
import { type RevertEnvironmentDeps, revertEnvironmentRoutes } from './revert-environment.js';
import { targetCommandRoutes } from './target-commands.js';
import { ruleCommandRoutes } from './targeting/rule-commands.js';
import { type SegmentCommandDeps, segmentCommandRoutes } from './targeting/segment-commands.js';
import { segmentKeyCommandRoutes } from './targeting/segment-key-commands.js';
import { segmentRuleCommandRoutes } from './targeting/segment-rule-commands.js';
import { timeTravelCommandRoutes } from './time-travel-commands.js';

/** Every route that changes projects, flags and segments; to be registered under /api/v1. */
export const commandRoutes = (
  deps: ProjectCommandDeps & SegmentCommandDeps & RevertEnvironmentDeps,
): readonly FastifyPluginAsyncTypebox[] => [
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
];
