import { type Database } from './database.js';
import { flagStatesAt } from './flags/flag-states-at.js';
import { getFlag } from './flags/get-flag.js';
import { getOrganization } from './organizations/get-organization.js';
import { getProject } from './projects/get-project.js';
import { getSegment } from './segments/get-segment.js';
import { segmentStatesAt } from './segments/segment-states-at.js';
import { type StateSource } from './state-source.js';

/** States from the temporal tables: one indexed query each. */
export const readModelSource = (db: Database): StateSource => ({
  organization: getOrganization(db),
  project: getProject(db),
  flag: getFlag(db),
  flags: flagStatesAt(db),
  segment: getSegment(db),
  segments: segmentStatesAt(db),
});
