import type pg from 'pg';
import { type GrantsOf } from '../../api/caller.js';
import { type Config } from '../../config.js';
import { accountTable } from '../../infrastructure/accounts/account-table.js';
import { accountsOver } from '../../infrastructure/accounts/accounts.js';
import { endedSessions, REMEMBERED_SECONDS } from '../../infrastructure/accounts/ended-sessions.js';
import { passwordHashes } from '../../infrastructure/accounts/password-hash.js';
import { sessionTable } from '../../infrastructure/accounts/session-table.js';
import { keepLooking } from '../../infrastructure/keep-looking.js';
import { type MasterKey } from '../../infrastructure/master-key.js';
import { redisSignal } from '../../infrastructure/redis/redis-signal.js';

/** So long a token may go on after its session ended in another process, when Redis wakes nobody. */
const POLL_MS = 400;

export type AuthenticationSources = Readonly<{
  pool: pg.Pool;
  redisUrl: string;
  masterKey: MasterKey;
  grantsOf: GrantsOf;
}>;

/** Accounts of people: passwords, sessions and what stops them. */
export const startAuthentication = async (
  { redisPrefix: prefix }: Config,
  { pool, redisUrl, masterKey, grantsOf }: AuthenticationSources,
) => {
  const sessions = sessionTable(pool);
  const ended = endedSessions();
  const watch = keepLooking({
    everyMs: POLL_MS,
    look: async () => {
      ended.add(await sessions.endedWithin(REMEMBERED_SECONDS));
    },
  });
  const signal = redisSignal({ url: redisUrl, prefix }, () => {
    watch.lookNow().catch(() => undefined);
  });
  const onSessionsEnded = async (): Promise<void> => {
    await Promise.all([signal.send(), watch.lookNow().catch(() => undefined)]);
  };
  const accounts = accountsOver({
    table: accountTable(pool),
    sessions,
    hashes: passwordHashes(),
    wrapping: masterKey.for('accounts'),
    isMember: (organizationId, userId) => grantsOf(organizationId, userId) !== undefined,
    onSessionsEnded,
  });
  await watch.lookNow().catch(() => undefined);
  return {
    /** The port for whoever adds and removes members. */
    accounts,
    stop: async (): Promise<void> => {
      signal.close();
      await watch.close();
    },
  };
};

export type Authentication = Awaited<ReturnType<typeof startAuthentication>>;
