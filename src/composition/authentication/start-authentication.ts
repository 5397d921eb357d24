import type pg from 'pg';
import { type Logger } from 'pino';
import { accountLimit } from '../../api/authentication/account-limit.js';
import { accessTokens } from '../../api/authentication/access-tokens.js';
import { browserSessions } from '../../api/authentication/browser.js';
import { keySetRoute } from '../../api/authentication/key-set-route.js';
import { oidcRoutes } from '../../api/authentication/oidc-routes.js';
import { ownSessionRoutes } from '../../api/authentication/own-session-routes.js';
import { sessionRoutes } from '../../api/authentication/session-routes.js';
import { type Sessions } from '../../api/authentication/sessions.js';
import { type GrantsOf } from '../../api/caller.js';
import { type Limits } from '../../api/limits/limits.js';
import { type Config } from '../../config.js';
import { accountTable } from '../../infrastructure/accounts/account-table.js';
import { accountsOver, emailLookup } from '../../infrastructure/accounts/accounts.js';
import { identityTable } from '../../infrastructure/accounts/identity-table.js';
import { passwordHashes } from '../../infrastructure/accounts/password-hash.js';
import { refreshTokens } from '../../infrastructure/accounts/refresh-tokens.js';
import { keepLooking } from '../../infrastructure/keep-looking.js';
import { type MasterKey } from '../../infrastructure/master-key.js';
import { type ServiceEvents } from '../service-events.js';
import { type WriteSide } from '../write-side.js';
import { personWith } from './authenticate.js';
import { oidcLogins } from './oidc.js';
import { providerIn } from './provider.js';
import { passwordLogins } from './passwords.js';
import { refusedLogins } from './refused-logins.js';
import { sessionLog } from './session-log.js';
import { openSessions } from './sessions.js';
import { startWatching } from './watching.js';

const HOUSEKEEPING_MS = 10_000;

export type AuthenticationSources = Readonly<{
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
