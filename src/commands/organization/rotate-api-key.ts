import { type Command, DomainError } from '../../domain/decider.js';
import { type ApiKey } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../../domain/organization/events.js';
import { type Project } from '../../domain/project/project.js';
import { requireEnvironment } from '../project/guards.js';
import { type NamedKey, requireKey } from './api-key-guards.js';

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

/** Of times as `toISOString` writes them, whose order is that of their texts. */
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
