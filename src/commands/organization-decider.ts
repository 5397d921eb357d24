import { type Decider } from '../domain/decider.js';
import { absentApiKey, type ApiKey, evolveApiKey } from '../domain/organization/api-key.js';
import { type ApiKeyEvent, type OrganizationEvent } from '../domain/organization/events.js';
import { type Project } from '../domain/project/project.js';
import {
  absentOrganization,
  evolveOrganization,
  type Organization,
} from '../domain/organization/organization.js';
import { type IssueApiKey, issueApiKey } from './organization/issue-api-key.js';
import {
  type AcceptInvitation,
  acceptInvitation,
} from './organization/members/accept-invitation.js';
import {
  type ChangeMemberRole,
  changeMemberRole,
} from './organization/members/change-member-role.js';
import { type NamedProjects } from './organization/members/guards.js';
import {
  type HandOverOwnership,
  handOverOwnership,
} from './organization/members/hand-over-ownership.js';
import { type InviteMember, inviteMember } from './organization/members/invite-member.js';
import {
  type LeaveOrganization,
  leaveOrganization,
} from './organization/members/leave-organization.js';
import { type RemoveMember, removeMember } from './organization/members/remove-member.js';
import {
  type RevokeInvitation,
  revokeInvitation,
} from './organization/members/revoke-invitation.js';
import {
  type RegisterOrganization,
  registerOrganization,
} from './organization/register-organization.js';
import { type RotateApiKey, rotateApiKey } from './organization/rotate-api-key.js';
import { type RenameOrganization, renameOrganization } from './organization/rename-organization.js';
import { type RevokeApiKey, revokeApiKey } from './organization/revoke-api-key.js';

export type OrganizationCommand =
  | AcceptInvitation
  | ChangeMemberRole
  | HandOverOwnership
  | InviteMember
  | LeaveOrganization
  | RegisterOrganization
  | RemoveMember
  | RenameOrganization
  | RevokeInvitation;

const decide = (
  command: OrganizationCommand,
  organization: Organization,
  projects: NamedProjects,
): readonly OrganizationEvent[] => {
  switch (command.type) {
    case 'AcceptInvitation':
      return acceptInvitation(command, organization);
    case 'ChangeMemberRole':
      return changeMemberRole(command, organization, projects);
    case 'HandOverOwnership':
      return handOverOwnership(command, organization);
    case 'InviteMember':
      return inviteMember(command, organization, projects);
    case 'LeaveOrganization':
      return leaveOrganization(command, organization);
    case 'RegisterOrganization':
      return registerOrganization(command, organization);
    case 'RemoveMember':
      return removeMember(command, organization);
    case 'RenameOrganization':
      return renameOrganization(command, organization);
    case 'RevokeInvitation':
      return revokeInvitation(command, organization);
  }
};

/** Everything that can be asked of a tenant and its members. References: the projects that roles are given in. */
export const organizationDecider: Decider<
  Organization,
  OrganizationCommand,
  OrganizationEvent,
  NamedProjects
> = {
  initialState: absentOrganization,
  evolve: evolveOrganization,
  decide,
};

export type ApiKeyCommand = IssueApiKey | RotateApiKey | RevokeApiKey;

/** The project of an application key that is to be issued or rotated, and those that an API token has roles in. */
export type KeyReferences = Readonly<{ project?: Project | undefined; named: NamedProjects }>;

export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent, KeyReferences> = {
  initialState: absentApiKey,
  evolve: evolveApiKey,
  decide: (command, apiKey, { project, named }) => {
    switch (command.type) {
      case 'IssueApiKey':
        return issueApiKey(command, apiKey, { project, named });
      case 'RotateApiKey':
        return rotateApiKey(command, apiKey, project);
      case 'RevokeApiKey':
        return revokeApiKey(command, apiKey);
    }
  },
};
