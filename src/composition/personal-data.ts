import { type EventStore } from '../commands/streams/event-store.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import {
  erasureTable,
  erasureWatch,
  recordErasures,
} from '../infrastructure/personal-data/erasures.js';
import { personalData } from '../infrastructure/personal-data/personal-data.js';
import { personalEventStore } from '../infrastructure/personal-data/personal-event-store.js';
import { subjectTable } from '../infrastructure/personal-data/subject-table.js';
import { createPool } from '../infrastructure/postgres/postgres.js';

type Backends = Readonly<{
  databaseUrl: string;
  /** With personal texts as they are in the log. */
  log: EventStore;
  masterKey: MasterKey;
}>;

/** What seals and opens personal data, with connections of its own: commands must not wait behind queries. */
export const startPersonalData = ({ databaseUrl, log, masterKey }: Backends) => {
  const pool = createPool({ url: databaseUrl, max: 3 });
  const table = subjectTable(pool, masterKey);
  const erasures = erasureTable(pool, table);
  const personal = personalData(table);
  const listeners = new Set([personal.forget]);
  const tellAll = (): void => {
    for (const listener of listeners) listener();
  };
  const watch = erasureWatch(erasures, tellAll);
  /** Personal texts go to it sealed, and come from it opened. */
  const store = personalEventStore(log, personal);
  return {
    ...personal,
    store,
    erasures,
    find: table.find,
    lastErasure: erasures.lastPosition,
    /** Brings erasures into the log that are not there yet. */
    record: recordErasures(store, erasures),
    /** Called after every erasure, by any process: soon, and at least once. */
    onErased: (listener: () => void): void => {
      listeners.add(listener);
    },
    /** For erasures of this process, without waiting for the watch. */
    forgetAll: tellAll,
    stop: async (): Promise<void> => {
      await watch.stop();
      await pool.end();
    },
  };
};

export type StartedPersonalData = ReturnType<typeof startPersonalData>;
