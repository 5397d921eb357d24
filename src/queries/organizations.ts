import { DomainError } from '../domain/decider.js';
import { type ExistingOrganization, type Invitation, type Member } from '../domain/organization.js';
import { type Position } from '../domain/position.js';
import { type Database } from './database.js';
import { type Fact, factColumns, type Provenance, provenanceOf, timeText } from './provenance.js';

/** The members of an organization as they are since a log position. */
type ChangedOrganization = Readonly<{
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

/** An organization as it was at one log position. */
export type OrganizationView = Readonly<{
  organizationId: string;
  name: string;
  members: readonly Member[];
  /** Neither accepted nor revoked; they may have expired. */
  invitations: readonly Invitation[];
  /** Revision of its stream; grows by one with each change. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** The event that made it what it was. */
  lastChange: Provenance;
}>;

export const organizationView = (
  organizationId: string,
  { name, members, invitations }: ExistingOrganization,
  createdAt: string | Date,
  last: Fact,
): OrganizationView => ({
  organizationId,
  name,
  members,
  invitations,
  revision: last.revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(last.recordedAt),
  lastChange: provenanceOf(last),
});

export const organizationNotFound = (): DomainError =>
  new DomainError('organization-not-found', 'There was no such organization at that moment.');

type Row = Fact & { createdAt: Date; state: ExistingOrganization | null };

/**
 * An organization with its members as it was at a log position.
 * @throws DomainError organization-not-found
 */
export const getOrganization =
  (db: Database) =>
  async (
    organizationId: string,
    { position }: Readonly<{ position: Position }>,
  ): Promise<OrganizationView> => {
    const { rows } = await db.query<Row>({
      organizationId,
      name: 'organization_at',
      text: `select o.created_at as "createdAt", r.state, ${factColumns('e')}
               from organization o
               left join lateral (select h.state, h.position_from
                                    from organization_revision h
                                   where h.organization_id = o.organization_id
                                     and h.position_from <= $2
                                   order by h.position_from desc
                                   limit 1) r on true
               left join audit_event e on e.position = r.position_from
              where o.organization_id = $1`,
      values: [organizationId, position],
    });
    const [row] = rows;
    if (row === undefined || row.state === null) throw organizationNotFound();
    return organizationView(organizationId, row.state, row.createdAt, row);
  };
