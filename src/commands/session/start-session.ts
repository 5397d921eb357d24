import { type Command } from '../../domain/decider.js';
import { type LoginMethod, type SessionEvent } from '../../domain/session/events.js';
import { openIn, type Sessions } from '../../domain/session/sessions.js';
import { ended, type Person } from './person.js';

/** Of one person at a time; a further one ends the oldest. */
const MAX_SESSIONS = 50;

export type StartSession = Command<
  'StartSession',
  Person & { sessionId: string; method: LoginMethod }
>;

export const startSession = (
  { data: { sessionId, method } }: StartSession,
  sessions: Sessions,
): readonly SessionEvent[] => [
  ...openIn(sessions)
    .slice(0, -MAX_SESSIONS + 1)
    .map(ended('too-many')),
  { type: 'SessionStarted', data: { sessionId, method } },
];
