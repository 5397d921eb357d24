import type pg from 'pg';
import { type Config } from '../../config.js';
import { endedSessions, REMEMBERED_SECONDS } from '../../infrastructure/accounts/ended-sessions.js';
import { sessionTable } from '../../infrastructure/accounts/session-table.js';
import { keepLooking } from '../../infrastructure/keep-looking.js';
import { type MasterKey } from '../../infrastructure/master-key.js';
import { redisSignal } from '../../infrastructure/redis/redis-signal.js';
import { keyRing, newSigningKey } from '../../infrastructure/signing-keys/key-ring.js';
import { type ServiceEvents } from '../service-events.js';
import { signingKeyTable } from '../../infrastructure/signing-keys/signing-key-table.js';

/** So long a token may go on after its session ended in another process, when Redis wakes nobody. */
const POLL_MS = 400;

type WatchingSources = Readonly<{
  pool: pg.Pool;
  redisUrl: string;
  masterKey: MasterKey;
  events: Pick<ServiceEvents, 'signingKeyChanged'>;
}>;

/** What this process knows of sessions and signing keys, kept as Postgres has it. */
export const startWatching = (
  config: Config,
  { pool, redisUrl, masterKey, events }: WatchingSources,
) => {
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
