import { type Grants, isWithin } from '../../domain/access/grants.js';
import { type ProjectRoles, type Role } from '../../domain/access/permission.js';
import { type ApiKey, type KeyScope } from '../../domain/api-key.js';
import { type Command, DomainError } from '../../domain/decider.js';
import { type ApiKeyEvent, type ApiKeyKind } from '../../domain/organization.js';
import { type Project } from '../../domain/project.js';
import { requireEnvironment } from '../project/guards.js';
import { type NamedProjects, requireProjects } from './guards.js';

type ExistingKey = Exclude<ApiKey, { status: 'absent' }>;

/** What every command on a key that exists names. `by`: what its sender may do; of an API token. */
type NamedKey = KeyScope & Readonly<{ organizationId: string; keyId: string; by?: Grants }>;

const isIn = (scope: KeyScope, { projectId, environment }: KeyScope): boolean =>
  scope.projectId === projectId && scope.environment === environment;

/** @throws DomainError `forbidden` when a token may do what `by` may not: it would be a way to more */
const requireWithin = (token: Grants, by: Grants | undefined): void => {
  if (by !== undefined && !isWithin(token, by))
    throw new DomainError('forbidden', 'An API token cannot have more rights than you.');
};

/** @throws DomainError `api-key-not-found`, also for a key of another place; `forbidden` */
const requireKey = (apiKey: ApiKey, named: NamedKey): ExistingKey => {
  if (apiKey.status === 'absent' || !isIn(apiKey.scope, named))
    throw new DomainError('api-key-not-found', `There is no API key '${named.keyId}' here.`);
  requireWithin(apiKey.grants, named.by);
  return apiKey;
};

/** `prefix` is the part of the key that may be seen and logged; the secret never comes here. */
export type IssueApiKey = Command<
  'IssueApiKey',
  KeyScope & {
    organizationId: string;
    keyId: string;
    kind: ApiKeyKind;
    name: string;
    prefix: string;
    expiresAt?: string;
    /** Role of an API token; absent: owner. */
    role?: Role;
    projects?: ProjectRoles;
    /** What the sender may do; absent: everything. */
    by?: Grants;
  }
>;

/**
 * `project`: of an application key.
 * @throws DomainError `forbidden`, `unknown-project`, or when there is no such environment
 */
export const issueApiKey = (
  { data: { organizationId: _, by, ...issued } }: IssueApiKey,
  apiKey: ApiKey,
  { project, named }: Readonly<{ project?: Project | undefined; named: NamedProjects }>,
): readonly ApiKeyEvent[] => {
  const { kind, role = 'owner', projects = {} } = issued;
  if (kind === 'admin') requireWithin({ role, projects }, by);
  requireProjects(projects, named);
  if (project !== undefined) requireEnvironment(project, issued.environment ?? '');
  return apiKey.status === 'absent' ? [{ type: 'ApiKeyIssued', data: issued }] : [];
};

export type RevokeApiKey = Command<'RevokeApiKey', NamedKey>;

/** @throws DomainError `api-key-not-found`, `forbidden` */
export const revokeApiKey = ({ data }: RevokeApiKey, apiKey: ApiKey): readonly ApiKeyEvent[] => {
  const { organizationId: _, by: __, ...named } = data;
  const { status } = requireKey(apiKey, data);
  return status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data: named }];
};

/** Gives a key a new secret, which never comes here. `now`, `overlapUntil`: RFC 3339, UTC. */
export type RotateApiKey = Command<
  'RotateApiKey',
  NamedKey & Readonly<{ now: string; overlapUntil: string }>
>;

/** A rotation does not move the expiry: a new secret of an expired key would never work. */
const requireUnexpired = (expiresAt: string | undefined, now: string): void => {
  if (expiresAt !== undefined && expiresAt <= now)
    throw new DomainError('api-key-expired', `The key expired at ${expiresAt}; issue another.`);
};

/** The later of two times as `toISOString` writes them, whose order is that of their texts. */
const earlier = (one: string, other = one): string => (other < one ? other : one);

/**
 * `project`: of an application key.
 * @throws DomainError `api-key-not-found`, `api-key-revoked`, `api-key-expired`, `forbidden`, or when its environment
 * is deleted
 */
export const rotateApiKey = (
  { data }: RotateApiKey,
  apiKey: ApiKey,
  project: Project | undefined,
): readonly ApiKeyEvent[] => {
  const { organizationId: _, by: __, now, ...rotated } = data;
  const { status, expiresAt } = requireKey(apiKey, data);
  if (status === 'revoked')
    throw new DomainError('api-key-revoked', `API key '${data.keyId}' is revoked; issue another.`);
  requireUnexpired(expiresAt, now);
  if (project !== undefined) requireEnvironment(project, data.environment ?? '');
  const overlapUntil = earlier(rotated.overlapUntil, expiresAt);
  return [{ type: 'ApiKeyRotated', data: { ...rotated, overlapUntil } }];
};
