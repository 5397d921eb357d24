import { type Command } from '../../domain/decider.js';
import { type ApiKey } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../../domain/organization/events.js';
import { type NamedKey, requireKey } from './api-key-guards.js';

export type RevokeApiKey = Command<'RevokeApiKey', NamedKey>;

/** @throws DomainError `api-key-not-found`, `forbidden` */
export const revokeApiKey = ({ data }: RevokeApiKey, apiKey: ApiKey): readonly ApiKeyEvent[] => {
  const { organizationId: _, by: __, ...named } = data;
  const { status } = requireKey(apiKey, data);
  return status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data: named }];
};
