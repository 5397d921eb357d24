import { type Command, DomainError } from '../../domain/decider.js';
import { type ApiKey } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../../domain/organization/events.js';

export type RevokeApiKey = Command<'RevokeApiKey', { organizationId: string; keyId: string }>;

export const revokeApiKey = (
  { data: { keyId } }: RevokeApiKey,
  apiKey: ApiKey,
): readonly ApiKeyEvent[] => {
  if (apiKey.status === 'absent') {
    throw new DomainError('api-key-not-found', `There is no API key '${keyId}'.`);
  }
  return apiKey.status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data: { keyId } }];
};
