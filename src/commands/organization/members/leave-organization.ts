import { type Command } from '../../../domain/decider.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import { type Organization } from '../../../domain/organization/organization.js';
import { requireMember, requireOrganization, requireOtherOwner } from './guards.js';

/** Of the member who asks. */
export type LeaveOrganization = Command<
  'LeaveOrganization',
  { organizationId: string; userId: string }
>;

/** @throws DomainError `member-not-found`, `last-owner` */
export const leaveOrganization = (
  { data: { userId } }: LeaveOrganization,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireOtherOwner(present, requireMember(present, userId));
  return [{ type: 'MemberLeft', data: { userId } }];
};
