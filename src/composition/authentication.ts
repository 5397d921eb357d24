import type pg from 'pg';
import { type Logger } from 'pino';
import { type Caller, type GrantsOf } from '../api/http/caller.js';
import { type Limits } from '../api/limits/limit-requests.js';
import { type AccessTokens, accessTokens, keySetRoute } from '../api/sessions/access-tokens.js';
import { browserSessions } from '../api/sessions/browser.js';
import { accountLimit, sessionRoutes } from '../api/sessions/login.js';
import { oidcRoutes } from '../api/sessions/oidc.js';
import { ownSessionRoutes } from '../api/sessions/own-sessions.js';
import { type Config, InvalidConfig } from '../config.js';
import { oidcLogins } from '../identity/oidc-logins.js';
import { passwordLogins } from '../identity/passwords.js';
import { type Sessions } from '../identity/ports.js';
import { refusedLogins, sessionLog } from '../identity/session-log.js';
import { actorOf, openSessions } from '../identity/sessions.js';
import { accountTable, identityTable } from '../infrastructure/accounts/account-table.js';
import { accountsOver, emailLookup } from '../infrastructure/accounts/accounts.js';
import {
  grantsMemory,
  grantsSupply,
  type OrganizationMembers,
} from '../infrastructure/accounts/grants.js';
import { oidcProvider } from '../infrastructure/accounts/oidc-provider.js';
import { passwordHashes } from '../infrastructure/accounts/passwords.js';
import {
  endedSessions,
  refreshTokens,
  REMEMBERED_SECONDS,
} from '../infrastructure/accounts/refresh-tokens.js';
import { sessionTable } from '../infrastructure/accounts/session-table.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import { keyRing, newSigningKey, signingKeyTable } from '../infrastructure/keys/signing-keys.js';
import { redisSignal } from '../infrastructure/redis/signal.js';
import { keepLooking } from '../infrastructure/waiting.js';
import { changedOrganizations } from '../queries/organizations.js';
import { type ServiceEvents } from './service-events.js';
import { type WriteSide } from './write-side.js';

type TokenSources = Readonly<{
  tokens: AccessTokens;
  /** Whether a session has ended lately: then its tokens, which are valid still, count no more. */
  hasEnded: (sessionId: string) => boolean;
  grantsOf: GrantsOf;
}>;

/** The person whom an access token proves; waits for nothing. */
const personWith =
  ({ tokens, hasEnded, grantsOf }: TokenSources) =>
  (token: string): Caller | undefined => {
    const claims = tokens.verify(token);
    if (claims === undefined || hasEnded(claims.sessionId)) return undefined;
    const { organizationId, userId, sessionId } = claims;
    const grants = grantsOf(organizationId, userId);
    return grants && { organizationId, actor: actorOf(claims), grants, sessionId };
  };

/** The configured OpenID provider, if any. @throws InvalidConfig */
const providerIn = ({ oidcIssuer, oidcClientId, oidcClientSecret, publicUrl }: Config) => {
  if (oidcIssuer === undefined) return undefined;
  if (oidcClientId === undefined || oidcClientSecret === undefined || publicUrl === undefined)
    throw new InvalidConfig('OIDC_ISSUER needs OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and PUBLIC_URL.');
  return oidcProvider({
    issuer: oidcIssuer,
    clientId: oidcClientId,
    clientSecret: oidcClientSecret,
    redirectUri: `${publicUrl}/api/v1/auth/oidc/callback`,
  });
};

/** Worst-case delay until a token stops working after its session ended in another process, without Redis. */
const POLL_MS = 400;

type WatchingSources = Readonly<{
  pool: pg.Pool;
  redisUrl: string;
  masterKey: MasterKey;
  events: Pick<ServiceEvents, 'signingKeyChanged'>;
}>;

/** What this process knows of sessions and signing keys, kept as Postgres has it. */
const startWatching = (config: Config, { pool, redisUrl, masterKey, events }: WatchingSources) => {
  const table = sessionTable(pool);
  const keys = signingKeyTable(pool);
  const wrapping = masterKey.for('signing keys');
  const ring = keyRing(wrapping);
  const ended = endedSessions();
  const watch = keepLooking({
    everyMs: POLL_MS,
    look: async () => {
      ended.add(await table.endedWithin(REMEMBERED_SECONDS));
      ring.adopt(await keys.usable());
    },
  });
  const signal = redisSignal({ url: redisUrl, prefix: config.redisPrefix }, () => {
    watch.lookNow().catch(() => undefined);
  });
  const tellAll = async (): Promise<void> => {
    await Promise.all([signal.send(), watch.lookNow().catch(() => undefined)]);
  };
  return {
    table,
    ring,
    hasEnded: ended.has,
    tellAll,
    rotate: async (): Promise<void> => {
      const previousKeyId = ring.signing()?.kid ?? null;
      const fresh = newSigningKey(wrapping);
      const result = await keys.rotate(fresh, config.signingKeyDays);
      if (result === 'kept') return;
      await tellAll();
      if (result === 'rotated')
        void events.signingKeyChanged({ keyId: fresh.kid, previousKeyId, cause: 'rotated' });
    },
    lookNow: watch.lookNow,
    close: async (): Promise<void> => {
      signal.close();
      await watch.close();
    },
  };
};

const HOUSEKEEPING_MS = 10_000;

type AuthenticationSources = Readonly<{
  pool: pg.Pool;
  redisUrl: string;
  masterKey: MasterKey;
  commands: Pick<WriteSide, 'sessions'>;
  events: Pick<ServiceEvents, 'signingKeyChanged'>;
  grantsOf: GrantsOf;
  limits?: Limits | undefined;
  log: Logger;
}>;

/** Accounts of people, their passwords and sessions, and what their tokens prove. */
export const startAuthentication = async (config: Config, sources: AuthenticationSources) => {
  const { pool, masterKey, commands, grantsOf, limits, log } = sources;
  const isMember = (organizationId: string, userId: string): boolean =>
    grantsOf(organizationId, userId) !== undefined;
  const watching = startWatching(config, sources);
  const { table: sessionsTable, hasEnded, tellAll: onSessionsEnded } = watching;
  const table = accountTable(pool);
  const hashes = passwordHashes();
  const wrapping = masterKey.for('accounts');
  const tokens = accessTokens(watching.ring, config.publicUrl ?? 'chronoflag');
  const toLog = sessionLog(commands.sessions, { table: sessionsTable, log });
  const sessions = openSessions({
    table: sessionsTable,
    refreshTokens: refreshTokens(pool, masterKey.for('refresh tokens')),
    ...{ tokens, sessionLog: toLog, isMember, onSessionsEnded },
  });
  const passwords = passwordLogins({
    ...{ table, sessionTable: sessionsTable, hashes, wrapping, sessions, isMember },
    sessionLog: toLog,
    refused: refusedLogins(toLog),
    onSessionsEnded,
  });
  const port: Sessions = {
    ...passwords,
    refresh: sessions.refresh,
    logOut: ({ sessionId, ...person }, all, origin) =>
      all
        ? sessions.end(person, 'logged-out-everywhere', origin)
        : sessions.end({ ...person, only: [sessionId] }, 'logged-out', origin),
    revoke: async ({ sessionId: _, ...person }, sessionId, origin) =>
      (await sessions.end({ ...person, only: [sessionId] }, 'revoked', origin)).length > 0,
    list: ({ organizationId, userId }) => sessionsTable.live(organizationId, userId),
  };
  const housekeeping = keepLooking({
    everyMs: HOUSEKEEPING_MS,
    look: async () => {
      await watching.rotate();
      await sessionsTable.endExpired();
      await toLog.tellRest();
      await sessionsTable.sweep();
    },
  });
  const oidc = oidcLogins(providerIn(config), {
    accounts: table,
    identities: identityTable(pool),
    ...{ wrapping, masterKey, sessions, isMember },
  });
  const browser = browserSessions(config.publicUrl);
  const limit = limits && accountLimit(limits);
  return {
    /** The port for whoever adds and removes members. */
    accounts: accountsOver({
      ...{ table, sessions: sessionsTable, hashes, wrapping },
      onSessionsEnded: async (ended) => {
        await onSessionsEnded();
        await toLog.tellEnded(ended, ended);
      },
    }),
    /** The person whom an access token proves. */
    person: personWith({ tokens, hasEnded, grantsOf }),
    browser,
    routes: [
      sessionRoutes({
        ...{ sessions: port, browser, limit },
        accountKey: (organizationId, email) =>
          emailLookup(wrapping, { organizationId, email }).toString('base64url'),
      }),
      ownSessionRoutes({ sessions: port, browser, limit }),
      oidcRoutes(oidc, browser),
    ],
    keySet: keySetRoute(watching.ring.published),
    /** Once the database is migrated: from then on tokens can be signed. Rejects when Postgres is away. */
    prepare: async (): Promise<void> => {
      await watching.rotate();
      await watching.lookNow();
    },
    stop: async (): Promise<void> => {
      await housekeeping.close();
      await watching.close();
    },
  };
};

export type Authentication = Awaited<ReturnType<typeof startAuthentication>>;

type StartedGrants = Readonly<{
  grantsOf: GrantsOf;
  /** Takes over at once what a command of this process led to. */
  adopt: (organization: OrganizationMembers) => void;
  close: () => Promise<void>;
}>;

/** What all members of all organizations were given, kept fresh. */
export const startGrants = async (pool: pg.Pool): Promise<StartedGrants> => {
  const memory = grantsMemory();
  const supply = grantsSupply({ memory, changedAfter: changedOrganizations(pool) });
  await supply.start();
  return { ...memory, close: supply.close };
};
