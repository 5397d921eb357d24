import { type ProjectRoles, type Role } from '../../domain/access/permission.js';
import { type Command } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import { type Organization, type OrganizationEvent } from '../../domain/organization.js';
import {
  type Asker,
  type NamedProjects,
  requireManager,
  requireMember,
  requireOrganization,
  requireOtherOwner,
  requireOwner,
  requireProjects,
} from './guards.js';

/** The role in the organization and all roles in projects. */
export type ChangeMemberRole = Command<
  'ChangeMemberRole',
  { organizationId: string; userId: string; role: Role; projects: ProjectRoles; by: Asker }
>;

/** @throws DomainError `forbidden`, `member-not-found`, `last-owner`, `unknown-project` */
export const changeMemberRole = (
  { data: { userId, role, projects, by } }: ChangeMemberRole,
  organization: Organization,
  named: NamedProjects,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireManager(present, by);
  const member = requireMember(present, userId);
  requireManager(present, by, member.role, role);
  if (sameJson({ role: member.role, projects: member.projects }, { role, projects })) return [];
  if (role !== 'owner') requireOtherOwner(present, member);
  requireProjects(projects, named);
  return [{ type: 'MemberRoleChanged', data: { userId, role, projects } }];
};

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

/** The member who asks. */
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
