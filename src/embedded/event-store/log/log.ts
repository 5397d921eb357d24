import { appender, type Appender } from './appender.js';
import { commitQueue } from '../storage/commit-queue.js';
import { closeDatabase, openDatabase } from '../storage/database.js';
import { rowsOf, type Database } from '../storage/sqlite.js';
import { logReader, type LogReader } from '../storage/reader.js';
import { recentIds } from './recent-ids.js';
import { FIRST_POSITION } from '../storage/schema.js';
import { streamStates, type StreamStates } from './stream-states.js';
import { logWriter, systemEvent, type LogEnd } from './writer.js';

/** The event log: what the gRPC services read from and write to. */
export type EventLog = Appender &
  Readonly<{
    reader: LogReader;
    states: StreamStates;
    /** What the events of one append may have together. */
    maxAppendBytes: number;
    /** Resolves when every write accepted so far can be read. */
    settled: () => Promise<void>;
    /** Calls `listener` after each commit until the returned function is called. */
    onCommit: (listener: () => void) => () => void;
    close: () => void;
  }>;

/** What a real server writes at its first start; applications may count on `$all` never being empty. */
const BOOTSTRAP_STREAM = '$$$scavenges';
const BOOTSTRAP_METADATA = Buffer.from('{"$maxAge":2592000}');

const endOf = (db: Database): LogEnd => {
  const [newest] = rowsOf<LogEnd>(
    db.prepare(
      `select position + length(frame) as "nextPosition", created as "createdMs"
         from events
        order by position desc
        limit 1`,
    ),
  );
  return newest ?? { nextPosition: FIRST_POSITION, createdMs: 0 };
};

const commitListeners = () => {
  const listeners = new Set<() => void>();
  return {
    notify: () => {
      for (const listener of listeners) listener();
    },
    add: (listener: () => void) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
};

/**
 * Opens the log in `folder` (see `openDatabase` for what it refuses). After a failed commit `onFault`
 * is told and every later write is rejected.
 * @throws StorageError
 */
export const openLog = (
  folder: string,
  options: {
    check: boolean | undefined;
    maxAppendBytes: number;
    onFault: (error: unknown) => void;
  },
): EventLog => {
  const { check, maxAppendBytes, onFault } = options;
  const db = openDatabase(folder, check);
  const listeners = commitListeners();
  const states = streamStates(db);
  const ids = recentIds();
  const queue = commitQueue(db, {
    onCommit: () => {
      states.settle();
      reader.refreshEnd();
      listeners.notify();
    },
    onFault,
  });
  const reader = logReader(
    db,
    (stream, revision) => queue.pendingAt(stream, revision) !== undefined,
  );
  const end = endOf(db);
  const writer = logWriter({ queue, states, recentIds: ids }, end);
  if (end.nextPosition === FIRST_POSITION) {
    writer.write(states.get(BOOTSTRAP_STREAM), [
      systemEvent('$metadata', BOOTSTRAP_METADATA, true),
    ]);
    queue.flush();
  }

  return {
    ...appender({ queue, states, recentIds: ids, writer, reader }),
    reader,
    states,
    maxAppendBytes,
    settled: queue.settled,
    onCommit: listeners.add,
    close: () => {
      closeDatabase(db);
    },
  };
};
