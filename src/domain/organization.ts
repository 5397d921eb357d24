import { type ProjectRoles, type Role } from './access/permission.js';
import { type Event } from './decider.js';

/**
 * `admin` sends commands and asks everything. Application keys are for one environment: `server` evaluates in any
 * way, `client` may be seen by anybody, so it only evaluates all flags at once and hears of changes.
 */
export type ApplicationKeyKind = 'server' | 'client';
export type ApiKeyKind = 'admin' | ApplicationKeyKind;

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
/** `owner`: absent in what was made by a first start. */
type OrganizationRegistered = Event<
  'OrganizationRegistered',
  { name: string; owner?: Readonly<{ userId: string; email: string }> }
>;
type OrganizationRenamed = Event<'OrganizationRenamed', { name: string }>;
/** The token that accepts it is never in an event. `expiresAt`: RFC 3339, UTC. */
type MemberInvited = Event<
  'MemberInvited',
  { invitationId: string; email: string; role: Role; projects: ProjectRoles; expiresAt: string }
>;
type InvitationRevoked = Event<'InvitationRevoked', { invitationId: string }>;
type MemberJoined = Event<
  'MemberJoined',
  { userId: string; invitationId: string; email: string; role: Role; projects: ProjectRoles }
>;
type MemberRoleChanged = Event<
  'MemberRoleChanged',
  { userId: string; role: Role; projects: ProjectRoles }
>;
type MemberRemoved = Event<'MemberRemoved', { userId: string }>;
type MemberLeft = Event<'MemberLeft', { userId: string }>;
/** `to` becomes owner, `from` gets `role`. */
type OwnershipHandedOver = Event<'OwnershipHandedOver', { from: string; to: string; role: Role }>;

/** The key itself is never in an event: only what may be logged. `projectId` and `environment`: of application keys. */
export type ApiKeyIssued = Event<
  'ApiKeyIssued',
  {
    keyId: string;
    kind: ApiKeyKind;
    name: string;
    prefix: string;
    projectId?: string;
    environment?: string;
    /** RFC 3339, UTC. Absent: it does not expire. */
    expiresAt?: string;
    /** Role of an admin credential. Absent: owner, as all were before there were roles. */
    role?: Role;
    projects?: ProjectRoles;
  }
>;
/** It has a new secret; the one before counts until `overlapUntil` (RFC 3339, UTC). */
type ApiKeyRotated = Event<
  'ApiKeyRotated',
  { keyId: string; overlapUntil: string; projectId?: string; environment?: string }
>;
type ApiKeyRevoked = Event<
  'ApiKeyRevoked',
  { keyId: string; projectId?: string; environment?: string }
>;

export type OrganizationEvent =
  | OrganizationRegistered
  | OrganizationRenamed
  | MemberInvited
  | InvitationRevoked
  | MemberJoined
  | MemberRoleChanged
  | MemberRemoved
  | MemberLeft
  | OwnershipHandedOver;
export type ApiKeyEvent = ApiKeyIssued | ApiKeyRotated | ApiKeyRevoked;

export type Member = Readonly<{
  userId: string;
  email: string;
  role: Role;
  projects: ProjectRoles;
}>;

/** Neither accepted nor revoked; it may have expired. `expiresAt`: RFC 3339, UTC, milliseconds. */
export type Invitation = Readonly<{
  invitationId: string;
  email: string;
  role: Role;
  projects: ProjectRoles;
  expiresAt: string;
}>;

/** A tenant. Members and invitations are in the order in which they came. */
export type ExistingOrganization = Readonly<{
  status: 'active';
  name: string;
  members: readonly Member[];
  invitations: readonly Invitation[];
}>;

export type Organization = Readonly<{ status: 'absent' }> | ExistingOrganization;

export const absentOrganization: Organization = { status: 'absent' };

export const findMember = ({ members }: ExistingOrganization, userId: string): Member | undefined =>
  members.find((member) => member.userId === userId);

const registered = ({
  name,
  owner,
}: Extract<
  OrganizationEvent,
  { type: 'OrganizationRegistered' }
>['data']): ExistingOrganization => ({
  status: 'active',
  name,
  members: owner === undefined ? [] : [{ ...owner, role: 'owner', projects: {} }],
  invitations: [],
});

const changed = (
  organization: ExistingOrganization,
  userId: string,
  change: Partial<Member>,
): ExistingOrganization => ({
  ...organization,
  members: organization.members.map((member) =>
    member.userId === userId ? { ...member, ...change } : member,
  ),
});

const withoutMember = (
  organization: ExistingOrganization,
  userId: string,
): ExistingOrganization => ({
  ...organization,
  members: organization.members.filter((member) => member.userId !== userId),
});

const withoutInvitation = (
  organization: ExistingOrganization,
  invitationId: string,
): ExistingOrganization => ({
  ...organization,
  invitations: organization.invitations.filter((one) => one.invitationId !== invitationId),
});

const joined = (
  organization: ExistingOrganization,
  { invitationId, ...member }: Extract<OrganizationEvent, { type: 'MemberJoined' }>['data'],
): ExistingOrganization => {
  const { members, ...rest } = withoutInvitation(organization, invitationId);
  return { ...rest, members: [...members, member] };
};

const evolveExisting = (
  organization: ExistingOrganization,
  event: OrganizationEvent,
): ExistingOrganization => {
  switch (event.type) {
    case 'OrganizationRegistered':
      return registered(event.data);
    case 'OrganizationRenamed':
      return { ...organization, name: event.data.name };
    case 'MemberInvited':
      return { ...organization, invitations: [...organization.invitations, event.data] };
    case 'InvitationRevoked':
      return withoutInvitation(organization, event.data.invitationId);
    case 'MemberJoined':
      return joined(organization, event.data);
    case 'MemberRoleChanged': {
      const { userId, role, projects } = event.data;
      return changed(organization, userId, { role, projects });
    }
    case 'MemberRemoved':
    case 'MemberLeft':
      return withoutMember(organization, event.data.userId);
    case 'OwnershipHandedOver': {
      const { from, to, role } = event.data;
      return changed(changed(organization, to, { role: 'owner' }), from, { role });
    }
  }
};

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveOrganization = (
  organization: Organization,
  event: OrganizationEvent,
): Organization => {
  if (organization.status === 'active') return evolveExisting(organization, event);
  return event.type === 'OrganizationRegistered' ? registered(event.data) : organization;
};
