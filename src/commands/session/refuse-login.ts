import { type Command } from '../../domain/decider.js';
import { type SessionEvent } from '../../domain/session/events.js';
import { type Sessions } from '../../domain/session/sessions.js';
import { type Person } from './person.js';

export type RefuseLogin = Command<'RefuseLogin', Person & { count: number; since: string }>;

/** One event a minute at most, so that a stranger cannot fill the log. */
export const refuseLogin = (
  { data: { count, since } }: RefuseLogin,
  sessions: Sessions,
): readonly SessionEvent[] =>
  sessions.status === 'known' && sessions.refusedSince === since
    ? []
    : [{ type: 'LoginRefused', data: { count, since } }];
