import {
  type EventStore,
  EventStoreRefuses,
  EventStoreUnavailable,
} from '../commands/event-store.js';
import { StartupError } from '../embedded/stack.js';
import { type KurrentConnection } from '../infrastructure/kurrent/kurrent-connection.js';
import { kurrentEventLog } from '../infrastructure/kurrent/kurrent-event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/kurrent-event-store.js';
import { type MasterKey } from '../infrastructure/master-key.js';
import { ForeignLog, type MarkPolicy, requireOwnLog } from '../infrastructure/own-log.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { bySystem } from './first-start.js';

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
  const pool = createPool({ url: databaseUrl, max: 1 });
  const store = kurrentEventStore(connection);
  const log = kurrentEventLog(connection);
  try {
    const metadata = () => bySystem('mark of the installation');
    await requireOwnLog({ pool, store, log, masterKey, metadata }, policy);
  } catch (error) {
    throw error instanceof ForeignLog ? new StartupError(error.message) : error;
  } finally {
    await pool.end();
  }
};

/**
 * A log that is used only once it is known to be of this installation: a process may start before that. One that
 * `mayOnlyRead` leaves the mark to the others when the event store refuses it.
 */
export const ownLog = (belongings: Belongings, mayOnlyRead: boolean, inner: EventStore) => {
  let isOwn = false;
  const admit = (): void => {
    if (isOwn) return;
    throw new EventStoreUnavailable('Whether the log is of this installation is not known yet.');
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
    /** @throws StartupError when it is another installation's */
    require: async (): Promise<void> => {
      if (isOwn) return;
      await requireOneInstallation(belongings, 'mark').catch((error: unknown) => {
        if (!mayOnlyRead || !(error instanceof EventStoreRefuses)) throw error;
        return requireOneInstallation(belongings, 'look');
      });
      isOwn = true;
    },
  };
};
