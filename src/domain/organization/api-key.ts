import { type ApiKeyEvent } from './events.js';

export type ApiKey = Readonly<{ status: 'absent' | 'active' | 'revoked' }>;

export const absentApiKey: ApiKey = { status: 'absent' };

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveApiKey = (_: ApiKey, event: ApiKeyEvent): ApiKey => {
  switch (event.type) {
    case 'ApiKeyIssued':
      return { status: 'active' };
    case 'ApiKeyRevoked':
      return { status: 'revoked' };
  }
};
