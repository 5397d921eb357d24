import { type Command } from '../../../domain/decider.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import { type Organization } from '../../../domain/organization/organization.js';
import { type Asker, requireInvitation, requireManager, requireOrganization } from './guards.js';

export type RevokeInvitation = Command<
  'RevokeInvitation',
  { organizationId: string; invitationId: string; by: Asker }
>;

/** @throws DomainError `forbidden`, `invitation-not-found`, also for one that was accepted or revoked */
export const revokeInvitation = (
  { data: { invitationId, by } }: RevokeInvitation,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireManager(present, by);
  const { role } = requireInvitation(present, invitationId);
  requireManager(present, by, role);
  return [{ type: 'InvitationRevoked', data: { invitationId } }];
};
