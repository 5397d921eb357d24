import { type Command, DomainError } from '../../domain/decider.js';
import { type ApiKey, type KeyScope } from '../../domain/organization/api-key.js';
import { type ApiKeyEvent } from '../../domain/organization/events.js';

export type RevokeApiKey = Command<
  'RevokeApiKey',
  KeyScope & { organizationId: string; keyId: string }
>;

const isIn = (scope: KeyScope, { projectId, environment }: KeyScope): boolean =>
  scope.projectId === projectId && scope.environment === environment;

/** @throws DomainError `api-key-not-found`, also for a key of another environment */
export const revokeApiKey = (
  { data: { organizationId: _, ...named } }: RevokeApiKey,
  apiKey: ApiKey,
): readonly ApiKeyEvent[] => {
  if (apiKey.status === 'absent' || !isIn(apiKey.scope, named)) {
    throw new DomainError('api-key-not-found', `There is no API key '${named.keyId}' here.`);
  }
  return apiKey.status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data: named }];
};
