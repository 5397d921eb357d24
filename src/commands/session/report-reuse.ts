import { type Command } from '../../domain/decider.js';
import { type SessionEvent } from '../../domain/session/events.js';
import { openIn, type Sessions } from '../../domain/session/sessions.js';
import { ended, type Person } from './person.js';

export type ReportReuse = Command<'ReportReuse', Person & { sessionId: string }>;

export const reportReuse = (
  { data: { sessionId } }: ReportReuse,
  sessions: Sessions,
): readonly SessionEvent[] =>
  openIn(sessions).includes(sessionId)
    ? [
        { type: 'RefreshTokenReused', data: { sessionId } },
        ended('refresh-token-reused')(sessionId),
      ]
    : [];
