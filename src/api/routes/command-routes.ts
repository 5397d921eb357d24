import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { configurationCommandRoutes } from './configuration-commands.js';
import { environmentCommandRoutes } from './environment-commands.js';
import { flagCommandRoutes } from './flag-commands.js';
import { importRoutes } from './import.js';
import { projectCommandRoutes } from './project-commands.js';
import { promoteEnvironmentRoutes } from './promote-environment.js';
import { revertEnvironmentRoutes } from './revert-environment.js';
import { targetCommandRoutes } from './target-commands.js';
import { ruleCommandRoutes } from './targeting/rule-commands.js';
import { segmentCommandRoutes } from './targeting/segment-commands.js';
import { segmentKeyCommandRoutes } from './targeting/segment-key-commands.js';
import { segmentRuleCommandRoutes } from './targeting/segment-rule-commands.js';
import { timeTravelCommandRoutes } from './time-travel-commands.js';

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
