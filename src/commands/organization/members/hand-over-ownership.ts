import { type Role } from '../../../domain/access/role.js';
import { type Command } from '../../../domain/decider.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import { type Organization } from '../../../domain/organization/organization.js';
import { requireMember, requireOrganization, requireOwner } from './guards.js';

/** `from` asks: `to` becomes owner, and `from` gets `role`. */
export type HandOverOwnership = Command<
  'HandOverOwnership',
  { organizationId: string; from: string; to: string; role: Exclude<Role, 'owner'> }
>;

/** @throws DomainError `forbidden`, `member-not-found` */
export const handOverOwnership = (
  { data: { from, to, role } }: HandOverOwnership,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireOwner(present, { userId: from });
  requireMember(present, to);
  // To oneself is nothing to do; the role would take it away again.
  return from === to ? [] : [{ type: 'OwnershipHandedOver', data: { from, to, role } }];
};
