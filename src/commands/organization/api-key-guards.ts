import { type Grants, isWithin } from '../../domain/access/grants.js';
import { DomainError } from '../../domain/decider.js';
import { type ApiKey, type KeyScope } from '../../domain/organization/api-key.js';

type ExistingKey = Exclude<ApiKey, { status: 'absent' }>;

/** What every command on a key that exists names. `by`: what its sender may do; of an API token. */
export type NamedKey = KeyScope & Readonly<{ organizationId: string; keyId: string; by?: Grants }>;

const isIn = (scope: KeyScope, { projectId, environment }: KeyScope): boolean =>
  scope.projectId === projectId && scope.environment === environment;

/** @throws DomainError `forbidden` when a token may do what `by` may not: it would be a way to more */
export const requireWithin = (token: Grants, by: Grants | undefined): void => {
  if (by !== undefined && !isWithin(token, by))
    throw new DomainError('forbidden', 'An API token cannot be given more than you have.');
};

/** @throws DomainError `api-key-not-found`, also for a key of another place; `forbidden` */
export const requireKey = (apiKey: ApiKey, named: NamedKey): ExistingKey => {
  if (apiKey.status === 'absent' || !isIn(apiKey.scope, named))
    throw new DomainError('api-key-not-found', `There is no API key '${named.keyId}' here.`);
  requireWithin(apiKey.grants, named.by);
  return apiKey;
};
