import { type Asker } from '../../commands/organization/members/guards.js';
import { type OrganizationCommand } from '../../commands/organization-decider.js';
import { type ProjectRoles, type Role } from '../../domain/access/role.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import { type Organization } from '../../domain/organization/organization.js';
import { type Handle } from '../../commands/command.js';

export type OrganizationHandle = Handle<Organization, OrganizationCommand, OrganizationEvent>;

/** A command of somebody who becomes a member by it, and how it is handled. */
export type Joining = Readonly<{
  organizationId: string;
  userId: string;
  command: OrganizationCommand;
  handle: OrganizationHandle;
}>;

export type NewRegistration = Readonly<{
  name: string;
  email: string;
  password: string;
  commandId: string;
}>;

export type NewInvitation = Readonly<{
  organizationId: string;
  by: Asker;
  email: string;
  role: Role;
  projects: ProjectRoles;
  expiresInDays: number;
  commandId: string;
}>;

/** What the routes need of organizations. Whatever is handled counts in this process at once. */
export type Organizations = Readonly<{
  handle: OrganizationHandle;
  /** Of removals and leaving: sessions end before the log has it. */
  handleLeaving: OrganizationHandle;
  /** @throws DomainError `registration-closed` */
  registering: (wanted: NewRegistration) => Joining;
  /** Delivers the token once the log has the invitation, and only in the request that made it. */
  inviting: (
    wanted: NewInvitation,
  ) => Readonly<{ invitationId: string; command: OrganizationCommand; handle: OrganizationHandle }>;
  /** @throws DomainError `invitation-not-found` for every token that cannot be accepted */
  accepting: (wanted: Readonly<{ token: string; password: string }>) => Promise<Joining>;
}>;
