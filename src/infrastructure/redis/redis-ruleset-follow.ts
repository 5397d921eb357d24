import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
import {
  type Cursor,
  cursorOf,
  ENTRIES_AT_ONCE,
  rulesetDraft,
  StreamGap,
} from './redis-ruleset-draft.js';
import {
  positionOf,
  type RedisRulesetReader,
  type SnapshotHead,
  SnapshotUnusable,
} from './redis-ruleset-reader.js';

/** One blocking read; also how soon a refill that wrote no entry is noticed. Milliseconds. */
const BLOCK_MS = 1_000;

/** What we serve may have come from Postgres meanwhile. @throws SnapshotUnusable */
const requireNotBehind = ({ position }: SnapshotHead, memory: RulesetMemory): void => {
  const held = memory.current()?.position ?? -1;
  if (position < held) throw new SnapshotUnusable(`Redis is at ${position}, behind ${held}.`);
};

/** Takes everything in, at one position. */
export const loadAll = async (
  reader: RedisRulesetReader,
  memory: RulesetMemory,
): Promise<Cursor> => {
  const head = await reader.head();
  if (head === undefined) throw new SnapshotUnusable('Redis holds no snapshot.');
  requireNotBehind(head, memory);
  const draft = rulesetDraft(reader, cursorOf(head), () => false);
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
export const followOnce = async (
  reader: RedisRulesetReader,
  memory: RulesetMemory,
  cursor: Cursor,
): Promise<Cursor> => {
  const entries = await reader.entriesAfter(cursor.lastId, ENTRIES_AT_ONCE, BLOCK_MS);
  if (entries.length === 0) return checkHead(reader, memory, cursor);
  const draft = rulesetDraft(
    reader,
    cursor,
    (id) => memory.current()?.environments.has(id) ?? false,
  );
  await draft.apply(entries);
  await draft.catchUp();
  memory.publish(draft.update(false));
  return draft.cursor();
};
