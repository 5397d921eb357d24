import { type Database } from './database.js';
import { flagStatesAt } from './flags/flag-states-at.js';
import { getFlag } from './flags/get-flag.js';
import { getProject } from './projects/get-project.js';
import { type StateSource } from './state-source.js';

/** States from the temporal tables: one indexed query each. */
export const readModelSource = (db: Database): StateSource => ({
  project: getProject(db),
  flag: getFlag(db),
  flags: flagStatesAt(db),
});
