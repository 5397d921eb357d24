import { type OpenSession, type Origin, type Person } from './ports.js';
import { type Actor } from '../domain/recorded.js';
import { type EndCause, type LoginMethod } from '../domain/session.js';
import { type RefreshTokens } from '../infrastructure/accounts/refresh-tokens.js';
import { type Choice, type SessionTable } from '../infrastructure/accounts/session-table.js';
import { randomId } from '../infrastructure/keys/secrets.js';
import { type SessionLog } from './session-log.js';

export type OpenSessionsDeps = Readonly<{
  table: SessionTable;
  refreshTokens: RefreshTokens;
  /** Signs an access token. */
  tokens: Readonly<{ sign: (person: Person) => string }>;
  sessionLog: SessionLog;
  isMember: (organizationId: string, userId: string) => boolean;
  onSessionsEnded: () => Promise<void>;
}>;

export type Member = Readonly<{
  organizationId: string;
  userId: string;
  method: LoginMethod;
  /** Only for logins by password: the hash that the password was checked against. */
  passwordHash?: string;
}>;

export const actorOf = ({ userId, method }: Pick<Member, 'userId' | 'method'>): Actor => ({
  id: userId,
  type: 'user',
  authMethod: method,
});

/** Begins, continues and ends sessions. */
export const openSessions = (deps: OpenSessionsDeps) => {
  const { table, refreshTokens, tokens, sessionLog, isMember, onSessionsEnded } = deps;

  /** Ends in Postgres first, which stops the tokens; the log hears of it then. @returns the ids of those that ended */
  const end = async (
    { method, ...choice }: Choice & Pick<Member, 'method'>,
    cause: EndCause,
    origin: Origin,
  ): Promise<readonly string[]> => {
    const { organizationId, userId } = choice;
    const sessionIds = await table.end(choice, cause);
    await onSessionsEnded();
    const metadata = origin(actorOf({ userId, method }));
    await sessionLog.tellEnded({ organizationId, userId }, { sessionIds, cause }, metadata);
    return sessionIds;
  };

  /**
   * The log first, so that no session is alive that it does not know. Undefined when the password was changed, or the
   * account removed, since it was looked at.
   */
  const start = async (
    { passwordHash, ...member }: Member,
    origin: Origin,
  ): Promise<OpenSession | undefined> => {
    const metadata = origin(actorOf(member));
    const person: Person = { ...member, sessionId: randomId('ses') };
    const { secret, sha256 } = refreshTokens.first(person.sessionId);
    const command = { type: 'StartSession', data: person } as const;
    const events = await sessionLog.record(command, metadata);
    const userAgent = metadata.userAgent ?? null;
    const session = { ...person, userAgent, tokenSha256: sha256, passwordHash };
    if (!(await table.insert(session))) {
      const refused = { sessionIds: [person.sessionId], cause: 'revoked' } as const;
      await sessionLog.tellEnded(person, refused);
      return undefined;
    }
    const only = events.flatMap(({ type, data }) =>
      type === 'SessionEnded' ? data.sessionId : [],
    );
    if (only.length > 0) {
      await table.end({ ...member, only }, 'too-many');
      await table.told(only);
    }
    return { ...person, accessToken: tokens.sign(person), refreshToken: secret };
  };

  const refresh = async (presented: string, origin: Origin): Promise<OpenSession | undefined> => {
    const refreshed = await refreshTokens.refresh(presented);
    if (refreshed.kind === 'refused') return undefined;
    const { session } = refreshed;
    const { sessionId, method, ...person } = session;
    if (refreshed.kind === 'reused') {
      await onSessionsEnded();
      const command = { type: 'ReportReuse', data: { ...person, sessionId } } as const;
      await sessionLog.tell(command, origin(actorOf({ ...person, method })), [sessionId]);
      return undefined;
    }
    if (!isMember(person.organizationId, person.userId)) return undefined;
    return { ...session, accessToken: tokens.sign(session), refreshToken: refreshed.token };
  };

  return { start, refresh, end };
};

export type OpenSessions = ReturnType<typeof openSessions>;
