import { type DependencyReserved } from './references.js';
import { type FlagEvent } from './flag/events.js';
import { type OperationsEvent } from './operations.js';
import { type ApiKeyEvent, type OrganizationEvent } from './organization.js';
import { type SubjectErased } from './personal/sealed-text.js';
import { type ProjectEvent } from './project.js';
import { type CommandsRefused } from './refusals.js';
import { type SegmentEvent } from './segment.js';
import { type SessionEvent } from './session.js';
import { type Category } from './streams.js';

/** Every event that this version of the service writes or understands. */
export type DomainEvent =
  | OrganizationEvent
  | ApiKeyEvent
  | ProjectEvent
  | FlagEvent
  | SegmentEvent
  | SessionEvent
  | DependencyReserved
  | CommandsRefused
  | OperationsEvent
  | SubjectErased;

/** Event type → category of its streams. Complete by its type; docs/events.md is held equal to it. */
export const CATALOGUE: Readonly<Record<DomainEvent['type'], Category>> = {
  OrganizationRegistered: 'organization',
  OrganizationRenamed: 'organization',
  MemberInvited: 'organization',
  InvitationRevoked: 'organization',
  MemberJoined: 'organization',
  MemberRoleChanged: 'organization',
  MemberRemoved: 'organization',
  MemberLeft: 'organization',
  OwnershipHandedOver: 'organization',
  ApiKeyIssued: 'apiKey',
  ApiKeyRotated: 'apiKey',
  ApiKeyRevoked: 'apiKey',
  ProjectCreated: 'project',
  ProjectDetailsChanged: 'project',
  ProjectDeleted: 'project',
  ProjectRestored: 'project',
  EnvironmentAdded: 'project',
  EnvironmentDetailsChanged: 'project',
  EnvironmentDeleted: 'project',
  EnvironmentRestored: 'project',
  FlagCreated: 'flag',
  FlagDetailsChanged: 'flag',
  FlagVariantsChanged: 'flag',
  FlagEnabled: 'flag',
  FlagDisabled: 'flag',
  FlagOffVariantChanged: 'flag',
  FlagRolloutChanged: 'flag',
  FlagTargetsChanged: 'flag',
  FlagTargetsAdded: 'flag',
  FlagTargetsRemoved: 'flag',
  FlagRulesChanged: 'flag',
  FlagPrerequisitesChanged: 'flag',
  FlagPromoted: 'flag',
  FlagImported: 'flag',
  FlagArchived: 'flag',
  FlagUnarchived: 'flag',
  FlagDeleted: 'flag',
  FlagRestored: 'flag',
  FlagReverted: 'flag',
  SegmentCreated: 'segment',
  SegmentDetailsChanged: 'segment',
  SegmentKeysChanged: 'segment',
  SegmentKeysAdded: 'segment',
  SegmentKeysRemoved: 'segment',
  SegmentRulesChanged: 'segment',
  SegmentImported: 'segment',
  SegmentDeleted: 'segment',
  SegmentRestored: 'segment',
  SegmentReverted: 'segment',
  DependencyReserved: 'dependencies',
  SubjectErased: 'subject',
  CommandsRefused: 'refusals',
  ServiceStarted: 'operations',
  ServiceStopped: 'operations',
  ClockJumped: 'operations',
  ReadModelRebuilt: 'operations',
  EventSkipped: 'operations',
  KeyChanged: 'operations',
  SessionStarted: 'session',
  SessionEnded: 'session',
  RefreshTokenReused: 'session',
  PasswordChanged: 'session',
  LoginRefused: 'session',
};

/** True for an event type that this version understands. */
export const isKnownType = (type: string): type is DomainEvent['type'] =>
  Object.hasOwn(CATALOGUE, type);
