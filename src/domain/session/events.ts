import { type Event } from '../decider.js';

/** How a person proved who it is; also the `authMethod` of what is done in the session. */
export type LoginMethod = 'password' | 'oidc';

export type EndCause =
  | 'logged-out'
  | 'logged-out-everywhere'
  | 'revoked'
  | 'password-changed'
  | 'refresh-token-reused'
  | 'membership-ended'
  | 'too-many'
  | 'expired';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
export type SessionStarted = Event<'SessionStarted', { sessionId: string; method: LoginMethod }>;
export type SessionEnded = Event<'SessionEnded', { sessionId: string; cause: EndCause }>;
/** Somebody has a copy of a token: the session is ended, whoever holds it now. */
export type RefreshTokenReused = Event<'RefreshTokenReused', { sessionId: string }>;
/** Never with what it was or is. */
export type PasswordChanged = Event<'PasswordChanged', Record<string, never>>;
/** `count` since the last of these events; `since`: the minute (RFC 3339, UTC) that this one stands for. */
export type LoginRefused = Event<'LoginRefused', { count: number; since: string }>;

export type SessionEvent =
  SessionStarted | SessionEnded | RefreshTokenReused | PasswordChanged | LoginRefused;
