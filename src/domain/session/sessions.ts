import { type SessionEvent } from './events.js';

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
