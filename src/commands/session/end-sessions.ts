import { type Command } from '../../domain/decider.js';
import { type EndCause, type SessionEvent } from '../../domain/session/events.js';
import { openIn, type Sessions } from '../../domain/session/sessions.js';
import { ended, type Person } from './person.js';

export type EndSessions = Command<
  'EndSessions',
  Person & { sessionIds: readonly string[]; cause: EndCause }
>;

/** Those that have ended already are left alone. */
export const endSessions = (
  { data: { sessionIds, cause } }: EndSessions,
  sessions: Sessions,
): readonly SessionEvent[] =>
  openIn(sessions)
    .filter((id) => sessionIds.includes(id))
    .map(ended(cause));
