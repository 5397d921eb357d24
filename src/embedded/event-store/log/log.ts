import { checkpointWatch } from '../storage/checkpoints.js';
import { commitQueue } from '../storage/commit-queue.js';
import { openDatabase } from '../storage/database.js';
import { logReader, type LogReader } from '../storage/reader.js';
import { type Database, FIRST_POSITION, rowsOf, type StorageError } from '../storage/schema.js';
import { appender, type Appender } from './appender.js';
import { streamStates, type StreamStates } from './stream-states.js';
import { type LogEnd, logWriter, recentIds, systemEvent } from './writer.js';

/** The event log: what the gRPC services read from and write to. */
export type EventLog = Appender &
  Readonly<{
    reader: LogReader;
    states: StreamStates;
    /** What the events of one append may have together. */
    maxAppendBytes: number;
    /** Resolves when every write accepted so far can be read, or was refused. */
    settled: () => Promise<void>;
    /** Calls `listener` after each commit until the returned function is called. */
    onCommit: (listener: () => void) => () => void;
    /** @throws StorageError when two files stay instead of one; nothing is lost by that */
    close: () => void;
  }>;

/** What a real server writes at its first start; applications may count on `$all` never being empty. */
const BOOTSTRAP_STREAM = '$$$scavenges';
const BOOTSTRAP_METADATA = Buffer.from('{"$maxAge":2592000}');

const endOf = (db: Database): LogEnd => {
  const [newest] = rowsOf<LogEnd>(
    db.prepare(
      `select position + length(frame) as "nextPosition", cast(created as integer) as "createdMs"
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

/** How a log is opened, and who hears of its troubles. */
export type LogOptions = Readonly<{
  /** Whether all events are verified first; undefined leaves it to the size of the file. */
  check: boolean | undefined;
  /** What the events of one append may have together. */
  maxAppendBytes: number;
  /** Nothing can be written any more: the process must be started anew. */
  onFault: (error: StorageError) => void;
  /** Something is wrong that needs a person, while the log goes on. */
  warn: (text: string) => void;
}>;

/** Says once that writes fail, and once that they no longer do. */
const writeTroubles = (warn: (text: string) => void) => {
  let isFailing = false;
  return {
    failed: ({ message }: StorageError) => {
      if (!isFailing) warn(`${message} Writers get this answer until it can be written again.`);
      isFailing = true;
    },
    succeeded: () => {
      if (isFailing) warn('The log is written again.');
      isFailing = false;
    },
  };
};

type Opened = ReturnType<typeof openDatabase>;

const logOf = ({ db, file, close }: Opened, options: LogOptions): EventLog => {
  const { maxAppendBytes, onFault, warn } = options;
  const listeners = commitListeners();
  const states = streamStates(db);
  const ids = recentIds();
  const troubles = writeTroubles(warn);
  const watchCheckpoints = checkpointWatch(db, file, warn);
  const queue = commitQueue(db, {
    onCommit: () => {
      states.settle();
      reader.refreshEnd();
      troubles.succeeded();
      watchCheckpoints();
      listeners.notify();
    },
    onRollback: (events) => {
      states.discard();
      writer.resume(reader.end());
      for (const { id, position } of events) ids.forget(id.toString('hex'), position);
    },
    onTrouble: troubles.failed,
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
    close,
  };
};

/**
 * Opens the log in `folder` (see `openDatabase` for what it refuses).
 * @throws StorageError
 */
export const openLog = (folder: string, options: LogOptions): EventLog => {
  const opened = openDatabase(folder, options.check);
  try {
    return logOf(opened, options);
  } catch (error) {
    opened.close();
    throw error;
  }
};
