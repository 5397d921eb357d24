import { type Member } from '../../domain/organization/organization.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';

/** The members of an organization as they are since a log position. */
export type ChangedOrganization = Readonly<{
  organizationId: string;
  position: Position;
  members: readonly Member[];
}>;

const PAGE = 1_000;

/**
 * Members of the organizations that changed after a log position, in the order of their last changes, at most 1 000;
 * one step down an index when there are none. Rows appear in log order, so that none is ever missed.
 */
export const changedOrganizations =
  (db: Database) =>
  async (after: Position): Promise<readonly ChangedOrganization[]> => {
    const { rows } = await db.query<ChangedOrganization>({
      name: 'changed_organizations',
      text: `select o.organization_id as "organizationId", o.position as position,
                    o.state -> 'members' as members
               from organization o
              where o.position > $1
              order by o.position
              limit ${PAGE}`,
      values: [after],
    });
    return rows;
  };
