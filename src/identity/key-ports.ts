import { type Handle } from '../commands/command.js';
import { type ApiKeyCommand } from '../commands/organization-decider.js';
import { type IssueApiKey } from '../commands/organization/issue-api-key.js';
import { type Grants } from '../domain/access/grants.js';
import { type ProjectRoles, type Role } from '../domain/access/role.js';
import { type ApiKey } from '../domain/organization/api-key.js';
import { type ApiKeyEvent, type ApplicationKeyKind } from '../domain/organization/events.js';

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

export type NewApiToken = Readonly<{
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
