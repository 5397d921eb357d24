import { type Decider } from '../domain/decider.js';
import { type SessionEvent } from '../domain/session/events.js';
import { evolveSessions, noSessions, type Sessions } from '../domain/session/sessions.js';
import { type ChangePassword, changePassword } from './session/change-password.js';
import { type EndSessions, endSessions } from './session/end-sessions.js';
import { type RefuseLogin, refuseLogin } from './session/refuse-login.js';
import { type ReportReuse, reportReuse } from './session/report-reuse.js';
import { type StartSession, startSession } from './session/start-session.js';

export type SessionCommand =
  StartSession | EndSessions | ReportReuse | ChangePassword | RefuseLogin;

export const sessionDecider: Decider<Sessions, SessionCommand, SessionEvent> = {
  initialState: noSessions,
  evolve: evolveSessions,
  decide: (command, sessions) => {
    switch (command.type) {
      case 'StartSession':
        return startSession(command, sessions);
      case 'EndSessions':
        return endSessions(command, sessions);
      case 'ReportReuse':
        return reportReuse(command, sessions);
      case 'ChangePassword':
        return changePassword(command, sessions);
      case 'RefuseLogin':
        return refuseLogin(command, sessions);
    }
  },
};
