import { DomainError } from '../../domain/decider.js';
import { type ExistingOrganization } from '../../domain/organization/organization.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { type Fact, factColumns } from '../provenance.js';
import { organizationView, type OrganizationView } from './organization-view.js';

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
