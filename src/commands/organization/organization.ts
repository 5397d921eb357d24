import { absentApiKey, type ApiKey, evolveApiKey } from '../../domain/api-key.js';
import {
  type Command,
  decideBy,
  type Decider,
  type Decisions,
  DomainError,
} from '../../domain/decider.js';
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

const decisions: Decisions<OrganizationCommand, Organization, OrganizationEvent, NamedProjects> = {
  AcceptInvitation: acceptInvitation,
  ChangeMemberRole: changeMemberRole,
  HandOverOwnership: handOverOwnership,
  InviteMember: inviteMember,
  LeaveOrganization: leaveOrganization,
  RegisterOrganization: registerOrganization,
  RemoveMember: removeMember,
  RenameOrganization: renameOrganization,
  RevokeInvitation: revokeInvitation,
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
  decide: decideBy<OrganizationCommand, Organization, OrganizationEvent, NamedProjects>(decisions),
};

export type ApiKeyCommand = IssueApiKey | RotateApiKey | RevokeApiKey;

/** The project of an application key that is to be issued or rotated, and those that an API token has roles in. */
type KeyReferences = Readonly<{ project?: Project | undefined; named: NamedProjects }>;

export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent, KeyReferences> = {
  initialState: absentApiKey,
  evolve: evolveApiKey,
  decide: decideBy<ApiKeyCommand, ApiKey, ApiKeyEvent, KeyReferences>({
    IssueApiKey: issueApiKey,
    RotateApiKey: (command, apiKey, { project }) => rotateApiKey(command, apiKey, project),
    RevokeApiKey: revokeApiKey,
  }),
};
