import { type ProjectRoles, type Role } from '../access/role.js';
import { type Event } from '../decider.js';

/**
 * `admin` sends commands and asks everything. Application keys are for one environment: `server` evaluates in any
 * way, `client` may be seen by anybody, so it only evaluates all flags at once and hears of changes.
 */
export type ApplicationKeyKind = 'server' | 'client';
export type ApiKeyKind = 'admin' | ApplicationKeyKind;

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
/** `owner`: absent in what was made by a first start. */
export type OrganizationRegistered = Event<
  'OrganizationRegistered',
  { name: string; owner?: Readonly<{ userId: string; email: string }> }
>;
export type OrganizationRenamed = Event<'OrganizationRenamed', { name: string }>;
/** The token that accepts it is never in an event. `expiresAt`: RFC 3339, UTC. */
export type MemberInvited = Event<
  'MemberInvited',
  { invitationId: string; email: string; role: Role; projects: ProjectRoles; expiresAt: string }
>;
export type InvitationRevoked = Event<'InvitationRevoked', { invitationId: string }>;
export type MemberJoined = Event<
  'MemberJoined',
  { userId: string; invitationId: string; email: string; role: Role; projects: ProjectRoles }
>;
export type MemberRoleChanged = Event<
  'MemberRoleChanged',
  { userId: string; role: Role; projects: ProjectRoles }
>;
export type MemberRemoved = Event<'MemberRemoved', { userId: string }>;
export type MemberLeft = Event<'MemberLeft', { userId: string }>;
/** `to` becomes owner, `from` gets `role`. */
export type OwnershipHandedOver = Event<
  'OwnershipHandedOver',
  { from: string; to: string; role: Role }
>;

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
    /** Of admin credentials. Absent: owner, as those were that were issued before there were roles. */
    role?: Role;
    projects?: ProjectRoles;
  }
>;
/** It has a new secret; the one before counts until `overlapUntil` (RFC 3339, UTC). */
export type ApiKeyRotated = Event<
  'ApiKeyRotated',
  { keyId: string; overlapUntil: string; projectId?: string; environment?: string }
>;
export type ApiKeyRevoked = Event<
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
