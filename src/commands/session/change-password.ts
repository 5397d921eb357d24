import { type Command } from '../../domain/decider.js';
import { type SessionEvent } from '../../domain/session/events.js';
import { openIn, type Sessions } from '../../domain/session/sessions.js';
import { ended, type Person } from './person.js';

/** The password itself never comes here. `sessionId`: the session that it is changed in, which goes on. */
export type ChangePassword = Command<'ChangePassword', Person & { sessionId: string }>;

export const changePassword = (
  { data: { sessionId } }: ChangePassword,
  sessions: Sessions,
): readonly SessionEvent[] => [
  { type: 'PasswordChanged', data: {} },
  ...openIn(sessions)
    .filter((id) => id !== sessionId)
    .map(ended('password-changed')),
];
