import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { type ExistingOrganization } from '../../domain/organization/organization.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments/resolve-moment.js';
import { type Discrepancy, discrepancies } from './discrepancy.js';
import { type EventLog } from './event-log.js';
import { heldOrganization } from './held-states.js';
import { replayOrganization } from './replay.js';

/** Compares an organization itself, with its members and invitations, with the log, replayed. */
export const verifyMembers =
  (log: EventLog, db: Database) =>
  async (organizationId: string, { position }: Moment): Promise<readonly Discrepancy[]> =>
    discrepancies<ExistingOrganization>(
      { flag: null },
      await heldOrganization(db)(organizationId, position),
      await replayOrganization(log, organizationId, position),
      organizationChangesBetween,
    );
