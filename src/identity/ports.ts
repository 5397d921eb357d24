import { type Handle } from '../commands/streams/command.js';
import { type IssueApiKey } from '../commands/organization/api-keys.js';
import { type Asker } from '../commands/organization/guards.js';
import {
  type ApiKeyCommand,
  type OrganizationCommand,
} from '../commands/organization/organization.js';
import { type Grants } from '../domain/access/grants.js';
import { type ProjectRoles, type Role } from '../domain/access/permission.js';
import { type ApiKey } from '../domain/api-key.js';
import {
  type ApiKeyEvent,
  type ApplicationKeyKind,
  type Invitation,
  type Member,
  type Organization,
  type OrganizationEvent,
} from '../domain/organization.js';
import { type Position } from '../domain/position.js';
import { type Actor, type Metadata } from '../domain/recorded.js';
import { type LoginMethod } from '../domain/session.js';
import { type Erasure, type KnownAbout } from '../queries/personal-data.js';

/** What is written next to the events of a request, once it is known whose they are. */
export type Origin = (actor: Actor) => Metadata;

/** Somebody in a session. */
export type Person = Readonly<{
  organizationId: string;
  userId: string;
  sessionId: string;
  method: LoginMethod;
}>;

/** A session and the tokens of it, which are nowhere else. */
export type OpenSession = Person & Readonly<{ accessToken: string; refreshToken: string }>;

export type SessionView = Readonly<{
  sessionId: string;
  method: LoginMethod;
  userAgent: string | null;
  startedAt: Date;
  refreshedAt: Date;
  expiresAt: Date;
}>;

export type Login = Readonly<{ organizationId: string; email: string; password: string }>;

export type NewPassword = Readonly<{ currentPassword: string; newPassword: string }>;

export type Sessions = Readonly<{
  /** Undefined for everybody but a member with the right password; nothing tells why. */
  logIn: (login: Login, origin: Origin) => Promise<OpenSession | undefined>;
  /** Undefined when the token does not count (any more). */
  refresh: (refreshToken: string, origin: Origin) => Promise<OpenSession | undefined>;
  /** Ends the session of the caller, or `all` of the same person. @returns the ids of those that ended */
  logOut: (person: Person, all: boolean, origin: Origin) => Promise<readonly string[]>;
  /** Ends another session of the same person. @returns false when there is none with this id */
  revoke: (person: Person, sessionId: string, origin: Origin) => Promise<boolean>;
  list: (person: Person) => Promise<readonly SessionView[]>;
  /** @returns the ids of all other sessions, which end. @throws DomainError `weak-password`, `wrong-password` */
  changePassword: (
    person: Person,
    passwords: NewPassword,
    origin: Origin,
  ) => Promise<readonly string[]>;
}>;

export type OrganizationHandle = Handle<Organization, OrganizationCommand, OrganizationEvent>;

/** A command of somebody who becomes a member by it, and how it is handled. */
export type Joining = Readonly<{
  organizationId: string;
  userId: string;
  command: OrganizationCommand;
  handle: OrganizationHandle;
}>;

type NewRegistration = Readonly<{
  name: string;
  email: string;
  password: string;
  commandId: string;
}>;

type NewInvitation = Readonly<{
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
  /** When a member is removed or leaves: sessions end before the log has it. */
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

/** Everything that is known about one person, at one log position. */
export type PersonalExport = KnownAbout &
  Readonly<{
    value: string;
    position: Position;
    subjectIds: readonly string[];
    userIds: readonly string[];
    member: Member | null;
    invitations: readonly Invitation[];
  }>;

/** What was erased, or of a dry run what would be. */
export type Erased = Pick<KnownAbout, 'flags' | 'segments'> &
  Readonly<{
    result: 'erased' | 'unchanged' | 'dry-run';
    subjectIds: readonly string[];
    events: number;
    /** Those of them that an erasure does not change: written before personal data was sealed. */
    inClear: number;
  }>;

export type PersonalDataRequests = Readonly<{
  export: (organizationId: string, value: string) => Promise<PersonalExport>;
  /** @throws DomainError still-member */
  erase: (
    organizationId: string,
    value: string,
    how: Readonly<{ metadata: Metadata; dryRun: boolean }>,
  ) => Promise<Erased>;
  /** Newest first. */
  erasures: (organizationId: string) => Promise<readonly Erasure[]>;
}>;

type Owner = Readonly<{ organizationId: string; email: string }>;

/** A person who is invited. */
export type NewAccount = Owner & Readonly<{ userId: string; password: string }>;

/** What organizations need of authentication. */
export type OrganizationAccounts = Readonly<{
  /** @throws DomainError `weak-password` */
  requireGoodPassword: (password: string, owner: Owner) => void;
  /** Safe to repeat. An account works only while its user is a member. */
  create: (account: NewAccount) => Promise<void>;
  endSessions: (organizationId: string, userId: string, cause: 'membership-ended') => Promise<void>;
  /** No session goes on, and nobody can log in again. */
  end: (organizationId: string, userId: string) => Promise<void>;
}>;

/** When a key or token was issued, used, rotated and revoked, and when it expires. */
export type Lifecycle = Readonly<{
  issuedAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  rotatedAt: Date | null;
  previousUntil: Date | null;
  lastUsedAt: Date | null;
}>;

/** What is kept of a key besides its hashes. */
export type ListedKey = Lifecycle &
  Readonly<{ keyId: string; kind: ApplicationKeyKind; name: string }>;

/** What is kept of a token besides its hashes. */
export type ListedToken = Lifecycle &
  Readonly<{ keyId: string; name: string; role: Role; projects: ProjectRoles }>;

export type KeyPlace = Readonly<{ organizationId: string; project: string; environment: string }>;

export type NewApplicationKey = Readonly<{
  kind: ApplicationKeyKind;
  place: KeyPlace;
  name: string;
  expiresAt?: Date | undefined;
  commandId: string;
}>;

/** A command that makes a secret, which is there once `handle` has made it work. */
export type SecretMaking = Readonly<{ handle: KeyHandle; secret: () => string | undefined }>;

export type KeyHandle = Handle<ApiKey, ApiKeyCommand, ApiKeyEvent>;

export type ApplicationKeys = Readonly<{
  /** A key to be issued; `secret` is there once `handle` has made it work, and only in the request that did. */
  issuing: (
    wanted: NewApplicationKey,
  ) => SecretMaking & Readonly<{ keyId: string; command: IssueApiKey }>;
  /** A new secret for a key; `secret` as of `issuing`. */
  rotating: (keyId: string, place: KeyPlace) => SecretMaking;
  revoking: (keyId: string, place: KeyPlace) => KeyHandle;
  /** @throws DomainError when there is no such environment */
  list: (place: KeyPlace) => Promise<readonly ListedKey[]>;
}>;

type NewApiToken = Readonly<{
  organizationId: string;
  name: string;
  grants: Grants;
  /** What who issues it may do. */
  by: Grants;
  expiresAt?: Date | undefined;
  commandId: string;
}>;

type NamedToken = Readonly<{ organizationId: string; keyId: string }>;

export type ApiTokens = Readonly<{
  /** `secret` is there once `handle` has made it work, and only in the request that did. */
  issuing: (
    wanted: NewApiToken,
  ) => SecretMaking & Readonly<{ keyId: string; command: IssueApiKey }>;
  rotating: (token: NamedToken) => SecretMaking;
  revoking: (token: NamedToken) => SecretMaking['handle'];
  list: (
    asked: Readonly<{ organizationId: string; unusedForDays?: number }>,
  ) => Promise<readonly ListedToken[]>;
}>;

/** Logging in at an OpenID provider. */
export type OidcLogins = Readonly<{
  start: (
    wanted: Readonly<{ organizationId: string; hasCookies: boolean }>,
  ) => Promise<Readonly<{ url: string; sealed: string }>>;
  /** Undefined when the provider's answer proves no member. */
  finish: (
    answered: Readonly<{ sealed: string; answer: URLSearchParams }>,
    origin: Origin,
  ) => Promise<Readonly<{ session: OpenSession; hasCookies: boolean }> | undefined>;
}>;
