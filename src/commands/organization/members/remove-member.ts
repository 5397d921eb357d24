import { type Command } from '../../../domain/decider.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import { type Organization } from '../../../domain/organization/organization.js';
import {
  type Asker,
  requireManager,
  requireMember,
  requireOrganization,
  requireOtherOwner,
} from './guards.js';

export type RemoveMember = Command<
  'RemoveMember',
  { organizationId: string; userId: string; by: Asker }
>;

/** @throws DomainError `forbidden`, `member-not-found`, `last-owner` */
export const removeMember = (
  { data: { userId, by } }: RemoveMember,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireManager(present, by);
  const member = requireMember(present, userId);
  requireManager(present, by, member.role);
  requireOtherOwner(present, member);
  return [{ type: 'MemberRemoved', data: { userId } }];
};
