import { Redis, type RedisOptions } from 'ioredis';
import { type RulesetMemory } from '../../queries/evaluation/ruleset-memory.js';
import { pause, withDeadline } from '../waiting.js';
import { redisLayout } from './layout.js';
import {
  type Cursor,
  cursorOf,
  ENTRIES_AT_ONCE,
  rulesetDraft,
  StreamGap,
} from './ruleset-draft.js';
import {
  positionOf,
  type RedisRulesetReader,
  redisRulesetReader,
  type SnapshotHead,
  SnapshotUnusable,
} from './ruleset-reader.js';

/** One blocking read; also how soon a refill that wrote no entry is noticed. Milliseconds. */
const BLOCK_MS = 1_000;

/** What we serve may have come from Postgres meanwhile. @throws SnapshotUnusable */
const requireNotBehind = ({ position }: SnapshotHead, memory: RulesetMemory): void => {
  const held = memory.current()?.position ?? -1;
  if (position < held) throw new SnapshotUnusable(`Redis is at ${position}, behind ${held}.`);
};

/** Takes everything in, at one position. */
const loadAll = async (reader: RedisRulesetReader, memory: RulesetMemory): Promise<Cursor> => {
  const head = await reader.head();
  if (head === undefined) throw new SnapshotUnusable('Redis holds no snapshot.');
  requireNotBehind(head, memory);
  const draft = rulesetDraft(reader, cursorOf(head), () => undefined);
  for (const id of head.environmentIds) await draft.load(id);
  await draft.catchUp();
  memory.publish(draft.update(true));
  return draft.cursor();
};

/** @throws StreamGap when Redis stands elsewhere than the stream led us; SnapshotUnusable */
const checkHead = async (
  reader: RedisRulesetReader,
  memory: RulesetMemory,
  cursor: Cursor,
): Promise<Cursor> => {
  const head = await reader.head();
  if (head?.generation !== cursor.generation)
    throw new StreamGap('The snapshot was flushed or refilled.');
  requireNotBehind(head, memory);
  // An entry added since the blocking read is no gap: the next read gets it.
  const isReached = head.position === cursor.position;
  if (!isReached && positionOf(head.lastId) <= cursor.position)
    throw new StreamGap(`No entry leads from ${cursor.position} to ${head.position}.`);
  return cursor;
};

/** Waits for the next changes and takes them in. */
const followOnce = async (
  reader: RedisRulesetReader,
  memory: RulesetMemory,
  cursor: Cursor,
): Promise<Cursor> => {
  const entries = await reader.entriesAfter(cursor.lastId, ENTRIES_AT_ONCE, BLOCK_MS);
  if (entries.length === 0) return checkHead(reader, memory, cursor);
  const draft = rulesetDraft(reader, cursor, (id) => memory.current()?.environments.get(id));
  await draft.apply(entries);
  await draft.catchUp();
  memory.publish(draft.update(false));
  return draft.cursor();
};

/** What the feed tells about itself; `pino` fits. */
export type FeedLog = Readonly<{
  info: (details: object, message: string) => void;
  warn: (details: object, message: string) => void;
}>;

type RedisRulesetFeedOptions = Readonly<{
  url: string;
  prefix: string;
  memory: RulesetMemory;
  log: FeedLog;
  /** Credentials, TLS, Sentinel: whatever the URL does not say. */
  redis?: Omit<RedisOptions, 'replyMapping'>;
}>;

/** So that a snapshot that is broken for good is not loaded in a tight loop. */
const AFTER_GAP_MS = 20;
const CONNECT_MS = 2_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Settles with the work, or at the abort when that comes first: connecting to a silent peer may take long. */
const unlessAborted = async (signal: AbortSignal, work: Promise<void>): Promise<void> => {
  let stop = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop);
  });
  await Promise.race([work, aborted]);
  signal.removeEventListener('abort', stop);
};

/**
 * Keeps the memory equal to the snapshot in Redis: loads everything, then follows the change stream on a connection
 * of its own. Loads again after a gap, a refill or a flush, connects again after any fault; meanwhile the memory
 * keeps what it has.
 */
export const redisRulesetFeed = ({
  url,
  prefix,
  memory,
  log,
  redis: more,
}: RedisRulesetFeedOptions) => {
  const closing = new AbortController();
  let isCurrent = false;
  let confirmedAt: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  /** Ends the connection that there is; another one is made. */
  let leave = (): void => undefined;
  let attempted = (): void => undefined;
  const firstAttempt = new Promise<void>((resolve) => (attempted = resolve));

  const confirm = (): void => {
    if (!isCurrent) log.info({ position: memory.current()?.position }, 'rulesets follow Redis');
    isCurrent = true;
    confirmedAt = Date.now();
    pauseMs = FIRST_PAUSE_MS;
    attempted();
  };

  const followUntilGap = async (reader: RedisRulesetReader): Promise<void> => {
    try {
      let cursor = await loadAll(reader, memory);
      for (; !closing.signal.aborted; cursor = await followOnce(reader, memory, cursor)) confirm();
    } catch (error) {
      if (!(error instanceof StreamGap)) throw error;
      log.info({ reason: error.message }, 'rulesets are loaded from Redis again');
      await pause(AFTER_GAP_MS);
    }
  };

  const session = async (): Promise<void> => {
    const redis = new Redis(url, {
      ...more,
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      // Connecting again is our own loop's: a new connection starts with a new load.
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    const disconnect = (): void => {
      redis.disconnect();
    };
    leave = disconnect;
    closing.signal.addEventListener('abort', disconnect);
    try {
      await withDeadline(redis.connect(), CONNECT_MS, () => new Error('Redis cannot be reached.'));
      const reader = redisRulesetReader(redis, redisLayout(prefix));
      while (!closing.signal.aborted) await followUntilGap(reader);
    } finally {
      closing.signal.removeEventListener('abort', disconnect);
      redis.disconnect();
    }
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const ended = session().catch((error: unknown) => {
        if (isCurrent && !closing.signal.aborted)
          log.warn({ err: error }, 'rulesets no longer follow Redis; the last ones are kept');
      });
      await unlessAborted(closing.signal, ended);
      isCurrent = false;
      attempted();
      await pause(pauseMs, closing);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  };

  let running: Promise<void> | undefined;
  return {
    /** Starts following; settles once the first attempt has loaded everything or failed. */
    start: (): Promise<void> => {
      running ??= run();
      return firstAttempt;
    },
    /** True while the memory is known to stand where Redis stands. */
    isCurrent: (): boolean => isCurrent,
    /** Connects anew: what Redis holds is behind, and its name may lead to another server by now. */
    reconnect: (): void => {
      isCurrent = false;
      leave();
    },
    /** Epoch milliseconds of the last sign that it does. */
    confirmedAt: (): number | undefined => confirmedAt,
    close: async (): Promise<void> => {
      closing.abort();
      await running;
    },
  };
};

export type RedisRulesetFeed = ReturnType<typeof redisRulesetFeed>;
