import { type Command } from '../../domain/decider.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import { type Organization } from '../../domain/organization/organization.js';
import { type Asker, requireOrganization, requireOwner } from './members/guards.js';

export type RenameOrganization = Command<
  'RenameOrganization',
  { organizationId: string; name: string; by: Asker }
>;

/** @throws DomainError `forbidden` */
export const renameOrganization = (
  { data: { name, by } }: RenameOrganization,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireOwner(present, by);
  return present.name === name ? [] : [{ type: 'OrganizationRenamed', data: { name } }];
};
