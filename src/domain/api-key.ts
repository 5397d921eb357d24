import { type Grants, NO_GRANTS } from './access/grants.js';
import {
  type ApiKeyEvent,
  type ApiKeyIssued,
  type ApiKeyKind,
  type ApplicationKeyKind,
} from './organization.js';

/** Where an application key holds; nowhere for an API token. */
export type KeyScope = Readonly<{ projectId?: string; environment?: string }>;

export type ApiKey =
  | Readonly<{ status: 'absent' }>
  | Readonly<{
      status: 'active' | 'revoked';
      kind: ApiKeyKind;
      name: string;
      scope: KeyScope;
      /** What an API token may do; an application key: nothing of this kind. */
      grants: Grants;
      /** RFC 3339, UTC; absent: it does not expire. */
      expiresAt?: string;
      /** Until when the secret before the last rotation counts; absent before the first. */
      overlapUntil?: string;
    }>;

export const absentApiKey: ApiKey = { status: 'absent' };

const issued = ({ data }: ApiKeyIssued): ApiKey => {
  const { kind, name, projectId, environment, role = 'owner', projects = {}, expiresAt } = data;
  const isScoped = projectId !== undefined && environment !== undefined;
  return {
    status: 'active',
    kind,
    name,
    scope: isScoped ? { projectId, environment } : {},
    grants: kind === 'admin' ? { role, projects } : NO_GRANTS,
    ...(expiresAt !== undefined && { expiresAt }),
  };
};

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveApiKey = (apiKey: ApiKey, event: ApiKeyEvent): ApiKey => {
  switch (event.type) {
    case 'ApiKeyIssued':
      return issued(event);
    case 'ApiKeyRotated':
      return apiKey.status === 'absent'
        ? apiKey
        : { ...apiKey, overlapUntil: event.data.overlapUntil };
    case 'ApiKeyRevoked':
      return {
        kind: 'admin',
        name: '',
        scope: {},
        grants: NO_GRANTS,
        ...apiKey,
        status: 'revoked',
      };
  }
};

/** What a valid application key proves. */
export type ApplicationKey = Readonly<{
  keyId: string;
  kind: ApplicationKeyKind;
  organizationId: string;
  /** The one environment that it may evaluate. */
  environmentId: string;
  /** Origins of web pages that may evaluate there; absent: those of the installation. */
  allowedOrigins?: readonly string[];
}>;
