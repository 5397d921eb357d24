import { type Database, isLasting, type StorageError, writingError } from './schema.js';

/** A row of `events`, ready to be inserted. */
type EventRow = Readonly<{
  position: number;
  stream: number;
  revision: number;
  id: Buffer;
  type: string;
  createdMs: number;
  crc: number;
  frame: Buffer;
}>;

/** Collects writes and commits them in groups: one transaction and one fsync for all that arrived together. */
export type CommitQueue = Readonly<{
  addStream: (key: number, name: string) => void;
  addEvent: (row: EventRow) => void;
  /** An event accepted but not yet committed. */
  pendingAt: (stream: number, revision: number) => EventRow | undefined;
  /** Commits what was added, now. @throws StorageError */
  flush: () => void;
  /** Resolves when everything added until now is durable; rejects with a StorageError when it was dropped. */
  committed: () => Promise<void>;
  /** Resolves when everything added until now is durable or was dropped. */
  settled: () => Promise<void>;
}>;

type Waiter = Readonly<{ resolve: () => void; reject: (error: unknown) => void }>;

/** What the owner of the queue does about a group: all are called before the writers of the group are answered. */
type Callbacks = Readonly<{
  onCommit: () => void;
  /** These events were dropped; memory must forget them, because the log is as it was before. */
  onRollback: (events: readonly EventRow[]) => void;
  /** Writers are refused for now. */
  onTrouble: (error: StorageError) => void;
  /** Nothing can be written any more. Called once. */
  onFault: (error: StorageError) => void;
}>;

const pendingKey = (stream: number, revision: number): string => `${stream}@${revision}`;

const inserter = (db: Database) => {
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const insertStream = db.prepare('insert into streams (id, name) values (?, ?)');
  const insertEvent = db.prepare(
    `insert into events (position, stream, revision, id, type, created, crc, frame)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return (streams: Iterable<readonly [number, string]>, events: readonly EventRow[]): void => {
    begin.run();
    for (const [key, name] of streams) insertStream.run(key, name);
    for (const { position, stream, revision, id, type, createdMs, crc, frame } of events)
      insertEvent.run(position, stream, revision, id, type, createdMs, crc, frame);
    commit.run();
  };
};

/** Takes back a group that failed. @throws when the connection is of no use any more */
const rollBack = (db: Database): void => {
  if (db.inTransaction) db.exec('rollback');
};

/**
 * A group that cannot be written, for want of room or by an error of the disk, is dropped as a whole, and the next one
 * is tried anew. Only when nobody can know what the disk holds is the queue closed: after a failed fsync.
 */
export const commitQueue = (
  db: Database,
  { onCommit, onRollback, onTrouble, onFault }: Callbacks,
): CommitQueue => {
  const insert = inserter(db);
  const pending = new Map<string, EventRow>();
  let streams: [number, string][] = [];
  let events: EventRow[] = [];
  let waiters: Waiter[] = [];
  let isScheduled = false;
  let fault: StorageError | undefined;

  const takeGroup = () => {
    const group = { streams, events };
    streams = [];
    events = [];
    pending.clear();
    return group;
  };

  const dropGroup = (group: readonly EventRow[], cause: unknown): StorageError => {
    const error = writingError(cause);
    try {
      rollBack(db);
      if (isLasting(cause)) fault = error;
    } catch {
      fault = error;
    }
    onRollback(group);
    if (fault) onFault(error);
    else onTrouble(error);
    return error;
  };

  const commitGroup = (): StorageError | undefined => {
    const group = takeGroup();
    if (fault) onRollback(group.events);
    if (fault || group.events.length === 0) return fault;
    try {
      insert(group.streams, group.events);
    } catch (error) {
      return dropGroup(group.events, error);
    }
    onCommit();
    return undefined;
  };

  const answerGroup = (): StorageError | undefined => {
    const answered = waiters;
    waiters = [];
    const error = commitGroup();
    for (const { resolve, reject } of answered) {
      if (error) reject(error);
      else resolve();
    }
    return error;
  };

  const committed = (): Promise<void> =>
    new Promise((resolve, reject) => {
      waiters.push({ resolve, reject });
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        answerGroup();
      });
    });

  return {
    addStream: (key, name) => {
      streams.push([key, name]);
    },
    addEvent: (row) => {
      events.push(row);
      pending.set(pendingKey(row.stream, row.revision), row);
    },
    pendingAt: (stream, revision) => pending.get(pendingKey(stream, revision)),
    flush: () => {
      const error = answerGroup();
      if (error) throw error;
    },
    committed,
    settled: () => committed().catch(() => undefined),
  };
};
