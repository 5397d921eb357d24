import { type Pool, type PoolClient } from 'pg';
import { type Wrapping } from '../keys/master-key.js';
import { base62, newSecret, sha256 } from '../keys/secrets.js';
import { transaction } from '../postgres/postgres.js';
import { type EndedSession, IDLE, type LiveSession, LONGEST } from './session-table.js';

/** How long an access token may live after its session ended, and a minute for clocks that differ. */
export const REMEMBERED_SECONDS = 16 * 60;

/** Sessions that ended lately, so that asking whether a token's session goes on waits for nothing. */
export const endedSessions = (clock: () => number = Date.now) => {
  /** Session id → when to forget it, in the order in which they were heard of. */
  const ended = new Map<string, number>();

  const forgetOld = (): void => {
    const now = clock();
    for (const [sessionId, until] of ended) {
      if (until > now) return;
      ended.delete(sessionId);
    }
  };

  return {
    add: (sessions: readonly Pick<EndedSession, 'sessionId'>[]): void => {
      const until = clock() + REMEMBERED_SECONDS * 1000;
      for (const { sessionId } of sessions) if (!ended.has(sessionId)) ended.set(sessionId, until);
      forgetOld();
    },
    has: (sessionId: string): boolean => ended.has(sessionId),
    size: (): number => ended.size,
  };
};

/** An answer may get lost: so long the same token gets the same successor again, unless that was used. */
const GRACE = '10 seconds';

const SHAPE = /^cf_ref_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}$/;

/** What became of a refresh. `reused`: the token was copied, and its session is ended now. */
type Refreshed =
  | Readonly<{ kind: 'refreshed'; session: LiveSession; token: string }>
  | Readonly<{ kind: 'reused'; session: LiveSession }>
  | Readonly<{ kind: 'refused' }>;

const REFUSED: Refreshed = { kind: 'refused' };

/** Locked: refreshes of one session come one after the other. */
const liveSession = async (
  client: PoolClient,
  sessionId: string,
): Promise<LiveSession | undefined> => {
  const { rows } = await client.query<LiveSession>(
    `select s.session_id as "sessionId", s.organization_id as "organizationId",
            s.user_id as "userId", s.method
       from chronoflag.session s
      where s.session_id = $1
        and s.ended_at is null
        and s.expires_at > now()
        for update`,
    [sessionId],
  );
  return rows[0];
};

type Presented = Readonly<{ isFresh: boolean; isRepeat: boolean }>;

const presentedToken = async (
  client: PoolClient,
  sessionId: string,
  { token, successor }: Readonly<{ token: Buffer; successor: Buffer }>,
): Promise<Presented | undefined> => {
  const { rows } = await client.query<Presented>(
    `select t.used_at is null as "isFresh",
            coalesce(t.used_at > now() - interval '${GRACE}', false) and exists (
              select
                from chronoflag.refresh_token n
               where n.sha256 = $3
                 and n.used_at is null
            ) as "isRepeat"
       from chronoflag.refresh_token t
      where t.sha256 = $1
        and t.session_id = $2`,
    [token, sessionId, successor],
  );
  return rows[0];
};

const rotate = async (
  client: PoolClient,
  sessionId: string,
  { token, successor }: Readonly<{ token: Buffer; successor: Buffer }>,
): Promise<void> => {
  await client.query(
    `update chronoflag.refresh_token
        set used_at = clock_timestamp()
      where sha256 = $1`,
    [token],
  );
  await client.query('insert into chronoflag.refresh_token (sha256, session_id) values ($1, $2)', [
    successor,
    sessionId,
  ]);
  await client.query(
    `update chronoflag.session s
        set refreshed_at = now(),
            expires_at = least(now() + interval '${IDLE}', s.started_at + interval '${LONGEST}')
      where s.session_id = $1`,
    [sessionId],
  );
};

const endFamily = async (client: PoolClient, sessionId: string): Promise<void> => {
  await client.query(
    `update chronoflag.session
        set ended_at = clock_timestamp(), ended_cause = 'refresh-token-reused'
      where session_id = $1`,
    [sessionId],
  );
};

/**
 * Refresh tokens: `cf_ref_<id>_<256 bits>`, of which only the SHA-256 is kept. A successor follows from its predecessor
 * and a key that only we have, so that a repeated refresh can be answered again although it is nowhere. RFC 9700, 4.14.
 */
export const refreshTokens = (pool: Pool, wrapping: Wrapping) => {
  const successorOf = (sessionId: string, token: string): string =>
    `cf_ref_${sessionId.slice('ses_'.length)}_${base62(wrapping.digest(token))}`;

  return {
    /** The first of a session: shown once, to be stored as its hash. */
    first: (sessionId: string) => newSecret('ref', sessionId.slice('ses_'.length)),

    refresh: async (presented: string): Promise<Refreshed> => {
      const id = SHAPE.exec(presented)?.[1];
      if (id === undefined) return REFUSED;
      const sessionId = `ses_${id}`;
      const token = successorOf(sessionId, presented);
      const hashes = { token: sha256(presented), successor: sha256(token) };
      return transaction(pool, async (client): Promise<Refreshed> => {
        const session = await liveSession(client, sessionId);
        const found = session && (await presentedToken(client, sessionId, hashes));
        if (session === undefined || found === undefined) return REFUSED;
        if (found.isFresh) await rotate(client, sessionId, hashes);
        if (found.isFresh || found.isRepeat) return { kind: 'refreshed', session, token };
        await endFamily(client, sessionId);
        return { kind: 'reused', session };
      });
    },
  };
};

export type RefreshTokens = ReturnType<typeof refreshTokens>;
