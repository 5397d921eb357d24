import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
import {
  type Cursor,
  cursorOf,
  ENTRIES_AT_ONCE,
  rulesetDraft,
  StreamGap,
} from './redis-ruleset-draft.js';
import { positionOf, type RedisRulesetReader } from './redis-ruleset-reader.js';

/** One blocking read; also how soon a refill that wrote no entry is noticed. Milliseconds. */
const BLOCK_MS = 1_000;

/** Redis cannot serve: it holds no snapshot, or one that is older than what we serve already. */
export class SnapshotUnusable extends Error {
  override readonly name = 'SnapshotUnusable';
}

/** Takes everything in, at one position. */
export const loadAll = async (
  reader: RedisRulesetReader,
  memory: RulesetMemory,
): Promise<Cursor> => {
  const head = await reader.head();
  if (head === undefined) throw new SnapshotUnusable('Redis holds no snapshot.');
  const held = memory.current()?.position ?? -1;
  if (head.position < held)
    throw new SnapshotUnusable(`Redis is at ${head.position}, behind ${held}.`);
  const draft = rulesetDraft(reader, cursorOf(head), () => false);
  for (const id of head.environmentIds) await draft.load(id);
  await draft.catchUp();
  memory.publish(draft.update(true));
  return draft.cursor();
};

/** @throws StreamGap when Redis stands elsewhere than the stream led us */
const checkHead = async (reader: RedisRulesetReader, cursor: Cursor): Promise<Cursor> => {
  const head = await reader.head();
  if (head?.generation !== cursor.generation)
    throw new StreamGap('The snapshot was flushed or refilled.');
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
  if (entries.length === 0) return checkHead(reader, cursor);
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
