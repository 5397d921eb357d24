import type { Database } from './sqlite.js';

/** A row of `events`, ready to be inserted. */
export type EventRow = Readonly<{
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
  /** Commits what was added, now. */
  flush: () => void;
  /** Resolves when everything added until now is durable; rejects when it could not be made so. */
  settled: () => Promise<void>;
}>;

type Waiter = Readonly<{ resolve: () => void; reject: (error: unknown) => void }>;

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

/**
 * `onCommit` runs after each durable group and before its writers are answered. After a failed commit
 * the queue refuses everything, because memory and disk no longer agree; `onFault` is told once.
 */
export const commitQueue = (
  db: Database,
  { onCommit, onFault }: { onCommit: () => void; onFault: (error: unknown) => void },
): CommitQueue => {
  const insert = inserter(db);
  const pending = new Map<string, EventRow>();
  let streams: [number, string][] = [];
  let events: EventRow[] = [];
  let waiters: Waiter[] = [];
  let isScheduled = false;
  let fault: { error: unknown } | undefined;

  const commitGroup = (): void => {
    if (events.length === 0) return;
    insert(streams, events);
    streams = [];
    events = [];
    pending.clear();
    onCommit();
  };

  const flush = (): void => {
    isScheduled = false;
    const answered = waiters;
    waiters = [];
    try {
      if (fault) throw fault.error;
      commitGroup();
    } catch (error) {
      if (!fault) onFault(error);
      fault ??= { error };
      for (const { reject } of answered) reject(error);
      return;
    }
    for (const { resolve } of answered) resolve();
  };

  return {
    addStream: (key, name) => {
      streams.push([key, name]);
    },
    addEvent: (row) => {
      events.push(row);
      pending.set(pendingKey(row.stream, row.revision), row);
    },
    pendingAt: (stream, revision) => pending.get(pendingKey(stream, revision)),
    flush,
    settled: () =>
      new Promise((resolve, reject) => {
        waiters.push({ resolve, reject });
        if (isScheduled) return;
        isScheduled = true;
        setImmediate(flush);
      }),
  };
};
