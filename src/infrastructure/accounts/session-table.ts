import { type Pool } from 'pg';
import { type EndCause, type LoginMethod } from '../../domain/session.js';

export type LiveSession = Readonly<{
  sessionId: string;
  organizationId: string;
  userId: string;
  method: LoginMethod;
}>;

export type NewSession = LiveSession &
  Readonly<{
    userAgent: string | null;
    tokenSha256: Buffer;
    /** That the login was good for; undefined when it was none by password. */
    passwordHash?: string | undefined;
  }>;

/** What its owner may see of a session. */
export type ListedSession = Readonly<{
  sessionId: string;
  method: LoginMethod;
  userAgent: string | null;
  startedAt: Date;
  refreshedAt: Date;
  expiresAt: Date;
}>;

export type EndedSession = Readonly<{ sessionId: string; endedAt: Date }>;

/** An end that the log has not heard of. */
export type UntoldEnd = Omit<LiveSession, 'method'> & Readonly<{ cause: EndCause }>;

/** Which sessions to end: those of a person, one of them, or all but one. */
export type Choice = Readonly<{
  organizationId: string;
  userId: string;
  only?: readonly string[];
  except?: string;
}>;

/** A session ends after so long without a refresh, and after so long in any case. */
export const IDLE = '14 days';
export const LONGEST = '90 days';

/** A process that ended a session tells the log itself; after this another one does. */
const TOLD_WITHIN = '5 seconds';

/** @returns the ids of those that were alive */
export const endSessions = async (
  on: Pick<Pool, 'query'>,
  { organizationId, userId, only, except }: Choice,
  cause: EndCause,
): Promise<readonly string[]> => {
  const { rows } = await on.query<{ sessionId: string }>(
    `update chronoflag.session s
        set ended_at = clock_timestamp(), ended_cause = $3
      where s.organization_id = $1
        and s.user_id = $2
        and s.ended_at is null
        and ($4::text[] is null or s.session_id = any ($4))
        and s.session_id is distinct from $5
     returning s.session_id as "sessionId"`,
    [organizationId, userId, cause, only ?? null, except ?? null],
  );
  return rows.map(({ sessionId }) => sessionId);
};

/** Sessions in Postgres: the truth about which are alive. */
export const sessionTable = (pool: Pool) => ({
  /**
   * Waits for whoever is changing the password or removing the account at this moment.
   * @returns false when the account is gone, or has another password than the login was good for
   */
  insert: async (session: NewSession): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `with owner as (
         select a.organization_id, a.user_id
           from chronoflag.account a
          where a.organization_id = $2
            and a.user_id = $3
            and a.password_hash = coalesce($7, a.password_hash)
            for share
       ), started as (
         insert into chronoflag.session
           (session_id, organization_id, user_id, method, user_agent, expires_at)
         select $1, o.organization_id, o.user_id, $4, $5, now() + interval '${IDLE}' from owner o
         returning session_id
       )
       insert into chronoflag.refresh_token (sha256, session_id)
       select $6, s.session_id from started s`,
      [
        session.sessionId,
        session.organizationId,
        session.userId,
        session.method,
        session.userAgent,
        session.tokenSha256,
        session.passwordHash,
      ],
    );
    return rowCount === 1;
  },

  live: async (organizationId: string, userId: string): Promise<readonly ListedSession[]> => {
    const { rows } = await pool.query<ListedSession>(
      `select s.session_id as "sessionId", s.method, s.user_agent as "userAgent",
              s.started_at as "startedAt", s.refreshed_at as "refreshedAt",
              s.expires_at as "expiresAt"
         from chronoflag.session s
        where s.organization_id = $1
          and s.user_id = $2
          and s.ended_at is null
          and s.expires_at > now()
        order by s.started_at, s.session_id`,
      [organizationId, userId],
    );
    return rows;
  },

  /** @returns the ids of those that were alive */
  end: (choice: Choice, cause: EndCause): Promise<readonly string[]> =>
    endSessions(pool, choice, cause),

  endExpired: async (): Promise<void> => {
    await pool.query(
      `update chronoflag.session
          set ended_at = clock_timestamp(), ended_cause = 'expired'
        where ended_at is null
          and expires_at <= now()`,
    );
  },

  /** Ended within the given seconds, on the database's clock. */
  endedWithin: async (seconds: number): Promise<readonly EndedSession[]> => {
    const { rows } = await pool.query<EndedSession>({
      name: 'sessions_ended_within',
      text: `select s.session_id as "sessionId", s.ended_at as "endedAt"
               from chronoflag.session s
              where s.ended_at > now() - make_interval(secs => $1)`,
      values: [seconds],
    });
    return rows;
  },

  untold: async (): Promise<readonly UntoldEnd[]> => {
    const { rows } = await pool.query<UntoldEnd>(
      `select s.session_id as "sessionId", s.organization_id as "organizationId",
              s.user_id as "userId", s.ended_cause as cause
         from chronoflag.session s
        where s.ended_at < now() - interval '${TOLD_WITHIN}'
          and s.told_at is null
        order by s.ended_at
        limit 100`,
    );
    return rows;
  },

  told: async (sessionIds: readonly string[]): Promise<void> => {
    await pool.query('update chronoflag.session set told_at = now() where session_id = any ($1)', [
      sessionIds,
    ]);
  },

  /** Those whose end the log has, after a day. */
  sweep: async (): Promise<void> => {
    await pool.query(`delete from chronoflag.session where told_at < now() - interval '1 day'`);
  },
});

export type SessionTable = ReturnType<typeof sessionTable>;
