import { type Command, DomainError } from '../../../domain/decider.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import { type Organization } from '../../../domain/organization/organization.js';
import { requireInvitation, requireOrganization } from './guards.js';

/** Whoever sends it has shown the token. `now`: RFC 3339, UTC, milliseconds. */
export type AcceptInvitation = Command<
  'AcceptInvitation',
  { organizationId: string; invitationId: string; userId: string; now: string }
>;

/** @throws DomainError `invitation-not-found`, also for one that was accepted or revoked or has expired */
export const acceptInvitation = (
  { data: { invitationId, userId, now } }: AcceptInvitation,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  const { email, role, projects, expiresAt } = requireInvitation(present, invitationId);
  if (expiresAt <= now)
    throw new DomainError('invitation-not-found', 'There is no such invitation.');
  return [{ type: 'MemberJoined', data: { userId, invitationId, email, role, projects } }];
};
