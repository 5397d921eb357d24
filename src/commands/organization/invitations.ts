import { type ProjectRoles, type Role } from '../../domain/access/permission.js';
import { type Command, DomainError } from '../../domain/decider.js';
import {
  type ExistingOrganization,
  type Invitation,
  type Organization,
  type OrganizationEvent,
} from '../../domain/organization.js';
import { isSameAddress } from '../../domain/personal/person.js';
import {
  type Asker,
  type NamedProjects,
  requireInvitation,
  requireManager,
  requireOrganization,
  requireProjects,
} from './guards.js';

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

/** `email`: normalised. `expiresAt` and `now`: RFC 3339, UTC, milliseconds, so that they compare as texts. */
export type InviteMember = Command<
  'InviteMember',
  {
    organizationId: string;
    invitationId: string;
    email: string;
    role: Role;
    projects: ProjectRoles;
    expiresAt: string;
    now: string;
    by: Asker;
  }
>;

/** Members and invitations together: the state of an organization is kept once for each of its revisions. */
const MAX_MEMBERS = 1_000;

/** @throws DomainError `member-exists`, `invitation-exists` */
const requireFree = (
  { members }: ExistingOrganization,
  earlier: Invitation | undefined,
  { email, now }: InviteMember['data'],
): void => {
  if (members.some((member) => isSameAddress(member.email, email)))
    throw new DomainError('member-exists', 'A member already has this e-mail address.');
  if (earlier !== undefined && earlier.expiresAt > now)
    throw new DomainError(
      'invitation-exists',
      `Invitation '${earlier.invitationId}' is for this e-mail address; revoke it to invite again.`,
    );
};

/** One that expired is revoked, so that of each e-mail address there is at most one. */
export const inviteMember = (
  { data }: InviteMember,
  organization: Organization,
  projects: NamedProjects,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  const { organizationId: _, now, by, ...invited } = data;
  requireManager(present, by, data.role);
  requireProjects(data.projects, projects);
  const earlier = present.invitations.find(({ email }) => isSameAddress(email, data.email));
  requireFree(present, earlier, data);
  const others = earlier === undefined ? 0 : 1;
  if (present.members.length + present.invitations.length - others >= MAX_MEMBERS)
    throw new DomainError(
      'too-many-members',
      `There are ${MAX_MEMBERS} members and invitations; remove or revoke some first.`,
    );
  const revoked: readonly OrganizationEvent[] =
    earlier === undefined
      ? []
      : [{ type: 'InvitationRevoked', data: { invitationId: earlier.invitationId } }];
  return [...revoked, { type: 'MemberInvited', data: invited }];
};

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
