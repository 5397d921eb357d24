import { projectCommandRoutes } from '../../api/routes/project-commands.js';
import { environmentCommandRoutes } from '../../api/routes/environment-commands.js';
import { flagCommandRoutes } from '../../api/routes/flag-commands.js';
import { configurationCommandRoutes } from '../../api/routes/configuration-commands.js';
import { targetCommandRoutes } from '../../api/routes/target-commands.js';
import { ruleCommandRoutes } from '../../api/routes/targeting/rule-commands.js';
import { segmentCommandRoutes } from '../../api/routes/targeting/segment-commands.js';
import { segmentKeyCommandRoutes } from '../../api/routes/targeting/segment-key-commands.js';
import { segmentRuleCommandRoutes } from '../../api/routes/targeting/segment-rule-commands.js';
import { timeTravelCommandRoutes } from '../../api/routes/time-travel-commands.js';
import { importRoutes } from '../../api/routes/import.js';
import { type WriteSide } from '../write-side.js';

/** The routes that need nothing but the handlers of commands. */
export const commandRoutes = (commands: WriteSide) => [
  projectCommandRoutes(commands),
  environmentCommandRoutes(commands),
  flagCommandRoutes(commands),
  configurationCommandRoutes(commands),
  targetCommandRoutes(commands),
  ruleCommandRoutes(commands),
  segmentCommandRoutes(commands),
  segmentKeyCommandRoutes(commands),
  segmentRuleCommandRoutes(commands),
  timeTravelCommandRoutes(commands),
  importRoutes(commands),
];
