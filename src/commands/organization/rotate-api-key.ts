import { type Command, DomainError } from '../../domain/decider.js';
import { type ApiKey } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../../domain/organization/events.js';
import { type NamedKey, requireKey } from './api-key-guards.js';

/** Gives a key a new secret, which never comes here. `overlapUntil`: RFC 3339, UTC. */
export type RotateApiKey = Command<'RotateApiKey', NamedKey & Readonly<{ overlapUntil: string }>>;

/** @throws DomainError `api-key-not-found`, `api-key-revoked`, `forbidden` */
export const rotateApiKey = ({ data }: RotateApiKey, apiKey: ApiKey): readonly ApiKeyEvent[] => {
  const { organizationId: _, by: __, ...rotated } = data;
  const { status } = requireKey(apiKey, data);
  if (status === 'revoked')
    throw new DomainError('api-key-revoked', `API key '${data.keyId}' is revoked; issue another.`);
  return [{ type: 'ApiKeyRotated', data: rotated }];
};
