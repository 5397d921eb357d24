import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from 'pino';
import {
  bySystem,
  type EventStore,
  EventStoreRefuses,
  EventStoreUnavailable,
} from '../commands/streams/event-store.js';
import { type Config } from '../config.js';
import { StartupError } from '../embedded/stack/stack.js';
import { reasonOf } from '../infrastructure/check-services.js';
import {
  InvalidMasterKey,
  loadMasterKey,
  type MasterKey,
  requireSameMasterKey,
} from '../infrastructure/keys/master-key.js';
import { type KurrentConnection } from '../infrastructure/kurrent/connection.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { isOlderLog, OLDER_LOG } from '../infrastructure/older-log.js';
import { ForeignLog, type MarkPolicy, requireOwnLog } from '../infrastructure/own-log.js';
import { migrateDatabase } from '../infrastructure/postgres/migrate.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { diskCopyPath } from './evaluation.js';
import { type FirstStart, firstStart } from './first-start.js';
import { type Requests } from './requests.js';
import { unusable, unusableServices } from './services.js';
import { pause } from '../infrastructure/waiting.js';

type Belongings = Readonly<{
  databaseUrl: string;
  connection: KurrentConnection;
  masterKey: MasterKey;
}>;

/** @throws StartupError when a migrated database, a log and a master key are not of one installation */
export const requireOneInstallation = async (
  { databaseUrl, connection, masterKey }: Belongings,
  policy: MarkPolicy,
): Promise<void> => {
  const pool = createPool({ url: databaseUrl, use: 'start', max: 1 });
  const store = kurrentEventStore(connection);
  const log = kurrentEventLog(connection);
  try {
    const metadata = () => bySystem(randomUUID(), 'mark of the installation');
    await requireOwnLog({ pool, store, log, masterKey, metadata }, policy);
  } catch (error) {
    throw error instanceof ForeignLog ? new StartupError(error.message) : error;
  } finally {
    await pool.end();
  }
};

/** Whether the log ends before events that the read model holds. */
export const isOlder = async ({
  databaseUrl,
  connection,
}: Omit<Belongings, 'masterKey'>): Promise<boolean> => {
  const pool = createPool({ url: databaseUrl, use: 'start', max: 1 });
  try {
    return await isOlderLog(pool, kurrentEventLog(connection));
  } finally {
    await pool.end();
  }
};

/** How often a running process looks whether the event store was replaced by an older one. */
const WATCH_MS = 5_000;
const SURE_AFTER_MS = 1_000;

/**
 * A log that is used only once it is known to be of this installation: a process may start before that. One that
 * `mayOnlyRead` leaves the mark to the others when the event store refuses it.
 */
export const ownLog = (belongings: Belongings, mayOnlyRead: boolean, inner: EventStore) => {
  let isOwn = false;
  let wasReplaced = false;
  const admit = (): void => {
    if (wasReplaced) throw new EventStoreUnavailable('The event store ends before known events.');
    if (isOwn) return;
    throw new EventStoreUnavailable('Whether the log is of this installation is not known yet.');
  };
  /** Asked twice, because a node that has just taken over may be behind for a moment. */
  const isSurelyOlder = async (signal: AbortSignal): Promise<boolean> => {
    if (!(await isOlder(belongings))) return false;
    await delay(SURE_AFTER_MS, undefined, { signal });
    return isOlder(belongings);
  };
  const store: EventStore = {
    read: async (...asked) => {
      admit();
      return inner.read(...asked);
    },
    readPage: async (...asked) => {
      admit();
      return inner.readPage(...asked);
    },
    append: async (...asked) => {
      admit();
      return inner.append(...asked);
    },
  };
  return {
    store,
    /** @throws StartupError when it is another installation's, or older than the read model */
    require: async (): Promise<void> => {
      if (isOwn) return;
      await requireOneInstallation(belongings, 'mark').catch((error: unknown) => {
        if (!mayOnlyRead || !(error instanceof EventStoreRefuses)) throw error;
        return requireOneInstallation(belongings, 'look');
      });
      if (await isOlder(belongings)) throw new StartupError(OLDER_LOG);
      isOwn = true;
    },
    /** Looks again and again whether the log still holds what is known of it; nothing is written to one that does not. */
    watch: async (signal: AbortSignal, everyMs = WATCH_MS): Promise<void> => {
      while (!signal.aborted) {
        await pause(everyMs, { signal });
        // What cannot be asked now is asked the next time.
        if (isOwn) wasReplaced = await isSurelyOlder(signal).catch(() => wasReplaced);
      }
    },
    /** A part of /ready, only while there is something to say. */
    part: (): Readonly<Record<string, () => Promise<void>>> =>
      wasReplaced ? { 'event-log': () => Promise.reject(new Error(OLDER_LOG)) } : {},
  };
};

const RETRY_MS = 1_000;

/** The master key: configured, else in the data directory, where it is made when there is none. */
export const masterKeyOf = ({ masterKey, dataDirectory }: Config): Promise<MasterKey> =>
  loadMasterKey({ configured: masterKey, file: join(dataDirectory, 'master.key') });

/** @throws StartupError when the database belongs to another master key */
export const migrated = async (databaseUrl: string, masterKey: MasterKey): Promise<void> => {
  const pool = createPool({ url: databaseUrl, use: 'maintenance', max: 1 });
  try {
    await migrateDatabase(pool);
    await requireSameMasterKey(pool, masterKey);
  } catch (error) {
    throw error instanceof InvalidMasterKey ? new StartupError(error.message) : error;
  } finally {
    await pool.end();
  }
};

const canServeFromDisk = (config: Config): Promise<boolean> =>
  access(diskCopyPath(config)).then(
    () => true,
    () => false,
  );

/**
 * Whether all configured services can be used. Without them a process starts only when it has rulesets on disk to serve
 * meanwhile.
 * @throws StartupError naming the services that cannot, and why
 */
export const requireServices = async (config: Config, log: Logger): Promise<boolean> => {
  const eventStore = config.role === 'projector' ? 'read' : 'write';
  const missing = await unusableServices(config, { eventStore, postgres: true, redis: true });
  if (missing.length === 0) return true;
  if (!(await canServeFromDisk(config))) throw unusable(missing);
  log.warn({ missing }, 'starting without services; evaluating from the last copy on disk');
  return false;
};

const AWAY =
  /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|timeout|terminated|starting up|shutting down|reach|confirm|answer/i;

/**
 * Runs what needs every service, when `isComplete` says that all accept connections. One that accepts and does not
 * answer is away all the same.
 * @returns false when it was not done and this process can serve from disk meanwhile
 * @throws StartupError when it cannot
 */
export const doneNow = async (
  work: () => Promise<void>,
  { isComplete, config, log }: Readonly<{ isComplete: boolean; config: Config; log: Logger }>,
): Promise<boolean> => {
  if (!isComplete) return false;
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !AWAY.test(`${error.message} ${String(error.cause)}`))
      throw error;
    if (!(await canServeFromDisk(config))) {
      throw new StartupError(`a service cannot be used: ${reasonOf(error)}`);
    }
    log.warn({ err: error }, 'starting without services; evaluating from the last copy on disk');
    return false;
  }
};

/** Tries until it succeeds or the signal aborts; logs the first failure of a row. */
export const untilDone = async (
  work: () => Promise<void>,
  { what, log, signal }: Readonly<{ what: string; log: Logger; signal: AbortSignal }>,
): Promise<void> => {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (failures === 0) log.warn({ err: error }, `${what} failed; trying again`);
      await pause(RETRY_MS, { signal });
    }
  }
};

/** With a migrated database: keys that sign tokens, and what a first start makes; one process after the other. */
export const prepared = async ({
  authentication,
  commands,
  credentials,
  keys,
  oneByOne,
}: Requests): Promise<FirstStart> => {
  await authentication.prepare();
  return oneByOne(() => firstStart(commands, credentials, keys));
};
