import { may } from '../../domain/access/grants.js';
import { type ProjectRoles, type Role } from '../../domain/access/permission.js';
import { DomainError } from '../../domain/decider.js';
import {
  type ExistingOrganization,
  findMember,
  type Invitation,
  type Member,
  type Organization,
} from '../../domain/organization.js';
import { type Project } from '../../domain/project.js';

/** Who asks: a member, whose role is what the stream says, or a credential with a role of its own. */
export type Asker = Readonly<{ userId: string }> | Readonly<{ role: Role }>;

/** Projects that a command gives roles in, by key. */
export type NamedProjects = ReadonlyMap<string, Project>;

/** @throws DomainError `organization-not-found` */
export const requireOrganization = (organization: Organization): ExistingOrganization => {
  if (organization.status === 'absent')
    throw new DomainError('organization-not-found', 'There is no such organization.');
  return organization;
};

/** @throws DomainError `member-not-found` */
export const requireMember = (organization: ExistingOrganization, userId: string): Member => {
  const member = findMember(organization, userId);
  if (member === undefined)
    throw new DomainError('member-not-found', `There is no member '${userId}'.`);
  return member;
};

/** @throws DomainError `invitation-not-found` */
export const requireInvitation = (
  { invitations }: ExistingOrganization,
  invitationId: string,
): Invitation => {
  const found = invitations.find((one) => one.invitationId === invitationId);
  if (found === undefined)
    throw new DomainError('invitation-not-found', 'There is no such invitation.');
  return found;
};

const roleOf = (organization: ExistingOrganization, by: Asker): Role =>
  'role' in by ? by.role : (findMember(organization, by.userId)?.role ?? 'none');

/**
 * Members are managed by whoever has the permission; those who are owners, or are to be, by owners only.
 * `roles`: those that the change takes or gives.
 * @throws DomainError `forbidden`
 */
export const requireManager = (
  organization: ExistingOrganization,
  by: Asker,
  ...roles: readonly Role[]
): void => {
  const role = roleOf(organization, by);
  if (!may({ role, projects: {} }, 'members.manage'))
    throw new DomainError('forbidden', 'This needs the permission "members.manage".');
  if (roles.includes('owner') && role !== 'owner')
    throw new DomainError('forbidden', 'Only owners may appoint, change or remove owners.');
};

/** @throws DomainError `forbidden` */
export const requireOwner = (organization: ExistingOrganization, by: Asker): void => {
  if (roleOf(organization, by) !== 'owner')
    throw new DomainError('forbidden', 'Only owners may do this.');
};

/** Before an owner goes or gets another role. @throws DomainError `last-owner` */
export const requireOtherOwner = ({ members }: ExistingOrganization, leaving: Member): void => {
  const isOther = (member: Member): boolean =>
    member.role === 'owner' && member.userId !== leaving.userId;
  if (leaving.role === 'owner' && !members.some(isOther))
    throw new DomainError(
      'last-owner',
      `'${leaving.userId}' is the last owner: make another member owner first.`,
    );
};

/** @throws DomainError `unknown-project` unless every role is for a project that is there */
export const requireProjects = (roles: ProjectRoles, projects: NamedProjects): void => {
  for (const key of Object.keys(roles))
    if (projects.get(key)?.status !== 'active')
      throw new DomainError('unknown-project', `There is no project '${key}'.`);
};
