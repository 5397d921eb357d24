import { type Event } from './decider.js';

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
type SessionStarted = Event<'SessionStarted', { sessionId: string; method: LoginMethod }>;
type SessionEnded = Event<'SessionEnded', { sessionId: string; cause: EndCause }>;
/** Somebody has a copy of a token: the session is ended, whoever holds it now. */
type RefreshTokenReused = Event<'RefreshTokenReused', { sessionId: string }>;
/** Never with what it was or is. */
type PasswordChanged = Event<'PasswordChanged', Record<string, never>>;
/** `count` since the last of these events; `since`: the minute (RFC 3339, UTC) that this one stands for. */
type LoginRefused = Event<'LoginRefused', { count: number; since: string }>;

export type SessionEvent =
  SessionStarted | SessionEnded | RefreshTokenReused | PasswordChanged | LoginRefused;

/** What is going on with one person's account. */
export type Sessions =
  | Readonly<{ status: 'absent' }>
  | Readonly<{
      status: 'known';
      /** Ids of the sessions that have not ended; the oldest first. */
      open: readonly string[];
      /** `since` of the last LoginRefused. */
      refusedSince?: string;
    }>;

export const noSessions: Sessions = { status: 'absent' };

/** Ids of the sessions that have not ended; the oldest first. */
export const openIn = (sessions: Sessions): readonly string[] =>
  sessions.status === 'absent' ? [] : sessions.open;

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveSessions = (before: Sessions, event: SessionEvent): Sessions => {
  const open = openIn(before);
  const known = { ...before, status: 'known', open } as const;
  switch (event.type) {
    case 'SessionStarted':
      return { ...known, open: [...open, event.data.sessionId] };
    case 'SessionEnded':
      return { ...known, open: open.filter((id) => id !== event.data.sessionId) };
    case 'LoginRefused':
      return { ...known, refusedSince: event.data.since };
    case 'RefreshTokenReused':
    case 'PasswordChanged':
      return known;
  }
};
