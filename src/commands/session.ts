import { type Command, decideBy, type Decider } from '../domain/decider.js';
import {
  type EndCause,
  evolveSessions,
  type LoginMethod,
  noSessions,
  openIn,
  type SessionEvent,
  type Sessions,
} from '../domain/session.js';

/** The user that the sessions belong to. */
type Person = Readonly<{ organizationId: string; userId: string }>;

/** The end of a session, for a cause. */
const ended =
  (cause: EndCause) =>
  (sessionId: string): SessionEvent => ({ type: 'SessionEnded', data: { sessionId, cause } });

/** The password itself never comes here. `sessionId`: the session that it is changed in, which goes on. */
type ChangePassword = Command<'ChangePassword', Person & { sessionId: string }>;

const changePassword = (
  { data: { sessionId } }: ChangePassword,
  sessions: Sessions,
): readonly SessionEvent[] => [
  { type: 'PasswordChanged', data: {} },
  ...openIn(sessions)
    .filter((id) => id !== sessionId)
    .map(ended('password-changed')),
];

type EndSessions = Command<
  'EndSessions',
  Person & { sessionIds: readonly string[]; cause: EndCause }
>;

/** Those that have ended already are left alone. */
const endSessions = (
  { data: { sessionIds, cause } }: EndSessions,
  sessions: Sessions,
): readonly SessionEvent[] =>
  openIn(sessions)
    .filter((id) => sessionIds.includes(id))
    .map(ended(cause));

type RefuseLogin = Command<'RefuseLogin', Person & { count: number; since: string }>;

/** One event a minute at most, so that a stranger cannot fill the log. */
const refuseLogin = (
  { data: { count, since } }: RefuseLogin,
  sessions: Sessions,
): readonly SessionEvent[] =>
  sessions.status === 'known' && sessions.refusedSince === since
    ? []
    : [{ type: 'LoginRefused', data: { count, since } }];

type ReportReuse = Command<'ReportReuse', Person & { sessionId: string }>;

const reportReuse = (
  { data: { sessionId } }: ReportReuse,
  sessions: Sessions,
): readonly SessionEvent[] =>
  openIn(sessions).includes(sessionId)
    ? [
        { type: 'RefreshTokenReused', data: { sessionId } },
        ended('refresh-token-reused')(sessionId),
      ]
    : [];

/** Sessions of one person at a time; a further one ends the oldest. */
const MAX_SESSIONS = 50;

type StartSession = Command<'StartSession', Person & { sessionId: string; method: LoginMethod }>;

const startSession = (
  { data: { sessionId, method } }: StartSession,
  sessions: Sessions,
): readonly SessionEvent[] => [
  ...openIn(sessions)
    .slice(0, -MAX_SESSIONS + 1)
    .map(ended('too-many')),
  { type: 'SessionStarted', data: { sessionId, method } },
];

export type SessionCommand =
  StartSession | EndSessions | ReportReuse | ChangePassword | RefuseLogin;

export const sessionDecider: Decider<Sessions, SessionCommand, SessionEvent> = {
  initialState: noSessions,
  evolve: evolveSessions,
  decide: decideBy<SessionCommand, Sessions, SessionEvent>({
    StartSession: startSession,
    EndSessions: endSessions,
    ReportReuse: reportReuse,
    ChangePassword: changePassword,
    RefuseLogin: refuseLogin,
  }),
};
