import { type ProjectRoles, type Role } from '../../../domain/access/role.js';
import { type Command } from '../../../domain/decider.js';
import { sameJson } from '../../../domain/json.js';
import { type OrganizationEvent } from '../../../domain/organization/events.js';
import { type Organization } from '../../../domain/organization/organization.js';
import {
  type Asker,
  type NamedProjects,
  requireManager,
  requireMember,
  requireOrganization,
  requireOtherOwner,
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
