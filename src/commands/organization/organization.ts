import { absentApiKey, type ApiKey, evolveApiKey } from '../../domain/api-key.js';
import { type Command, type Decider, DomainError } from '../../domain/decider.js';
import {
  absentOrganization,
  type ApiKeyEvent,
  evolveOrganization,
  findMember,
  type Organization,
  type OrganizationEvent,
} from '../../domain/organization.js';
import { type Project } from '../../domain/project.js';
import {
  type IssueApiKey,
  issueApiKey,
  type RevokeApiKey,
  revokeApiKey,
  type RotateApiKey,
  rotateApiKey,
} from './api-keys.js';
import { type Asker, type NamedProjects, requireOrganization, requireOwner } from './guards.js';
import {
  type AcceptInvitation,
  acceptInvitation,
  type InviteMember,
  inviteMember,
  type RevokeInvitation,
  revokeInvitation,
} from './invitations.js';
import {
  type ChangeMemberRole,
  changeMemberRole,
  type HandOverOwnership,
  handOverOwnership,
  type LeaveOrganization,
  leaveOrganization,
  type RemoveMember,
  removeMember,
} from './members.js';

/** `owner`: absent when a first start registers it. */
type RegisterOrganization = Command<
  'RegisterOrganization',
  {
    organizationId: string;
    name: string;
    owner?: Readonly<{ userId: string; email: string }>;
  }
>;

/** @throws DomainError `concurrent-change` when the id, which is random, is somebody else's */
const registerOrganization = (
  { data: { organizationId: _, ...registered } }: RegisterOrganization,
  organization: Organization,
): readonly OrganizationEvent[] => {
  if (organization.status === 'absent')
    return [{ type: 'OrganizationRegistered', data: registered }];
  const { owner } = registered;
  if (owner !== undefined && findMember(organization, owner.userId) === undefined)
    throw new DomainError('concurrent-change', 'The id of the organization was taken; try again.');
  return [];
};

type RenameOrganization = Command<
  'RenameOrganization',
  { organizationId: string; name: string; by: Asker }
>;

/** @throws DomainError `forbidden` */
const renameOrganization = (
  { data: { name, by } }: RenameOrganization,
  organization: Organization,
): readonly OrganizationEvent[] => {
  const present = requireOrganization(organization);
  requireOwner(present, by);
  return present.name === name ? [] : [{ type: 'OrganizationRenamed', data: { name } }];
};

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
type KeyReferences = Readonly<{ project?: Project | undefined; named: NamedProjects }>;

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
