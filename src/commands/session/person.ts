import { type EndCause, type SessionEvent } from '../../domain/session/events.js';

/** Whose sessions a command is about. */
export type Person = Readonly<{ organizationId: string; userId: string }>;

/** The end of a session, for a cause. */
export const ended =
  (cause: EndCause) =>
  (sessionId: string): SessionEvent => ({ type: 'SessionEnded', data: { sessionId, cause } });
