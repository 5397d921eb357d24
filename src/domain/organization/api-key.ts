import { type ApiKeyEvent } from './events.js';

/** Where an application key holds; nowhere for an admin credential. */
export type KeyScope = Readonly<{ projectId?: string; environment?: string }>;

export type ApiKey =
  | Readonly<{ status: 'absent' }>
  | Readonly<{ status: 'active' | 'revoked'; name: string; scope: KeyScope }>;

export const absentApiKey: ApiKey = { status: 'absent' };

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveApiKey = (apiKey: ApiKey, event: ApiKeyEvent): ApiKey => {
  switch (event.type) {
    case 'ApiKeyIssued': {
      const { name, projectId, environment } = event.data;
      const isScoped = projectId !== undefined && environment !== undefined;
      return { status: 'active', name, scope: isScoped ? { projectId, environment } : {} };
    }
    case 'ApiKeyRevoked':
      return { name: '', scope: {}, ...apiKey, status: 'revoked' };
  }
};
