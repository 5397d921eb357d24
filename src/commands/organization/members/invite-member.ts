import { type ProjectRoles, type Role } from '../../../domain/access/role.js';
import { type Command, DomainError } from '../../../domain/decider.js';
import { isSameAddress } from '../../../domain/organization/email.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import {
  type ExistingOrganization,
  type Invitation,
  type Organization,
} from '../../../domain/organization/organization.js';
import {
  type Asker,
  type NamedProjects,
  requireManager,
  requireOrganization,
  requireProjects,
} from './guards.js';

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
    throw new DomainError('member-exists', 'A member has this e-mail address.');
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
