import { type ChainableCommander, type Redis } from 'ioredis';
import {
  type EnvironmentContents,
  isSegmentEntry,
  isSegmentPart,
  type Ruleset,
  type RulesetChange,
  type SegmentDefinition,
} from '../../domain/evaluation/ruleset.js';
import { restoredSegment } from '../../domain/evaluation/stored-segment.js';
import { type Position, toPosition } from '../../domain/position.js';
import { withDeadline } from '../waiting.js';
import { countIn, type RedisLayout } from './layout.js';

/** Where the snapshot in Redis stands. `lastId` is that of the last change, `0-0` when there is none. */
export type SnapshotHead = Readonly<{
  position: Position;
  generation: string;
  lastId: string;
  environmentIds: readonly string[];
}>;

/** One environment and the position it was read at; `contents` is null when it does not exist. */
export type EnvironmentSnapshot = Readonly<{
  position: Position;
  generation: string;
  contents: EnvironmentContents | null;
}>;

/** One entry of the change stream. */
export type ChangeEntry = Readonly<{
  id: string;
  position: Position;
  prev: string;
  generation: string;
  changes: readonly RulesetChange[];
}>;

/** Redis cannot serve: it holds no snapshot, only a part of one, or one that is older than what we serve already. */
export class SnapshotUnusable extends Error {
  override readonly name = 'SnapshotUnusable';
}

/** @throws SnapshotUnusable when something is missing, as after an eviction, or by a writer that did not count */
const requireCount = (what: string, expected: number | undefined, found: number): void => {
  if (expected !== found)
    throw new SnapshotUnusable(`Redis has ${found} ${what}, not ${expected ?? 'counted ones'}.`);
};

const numberOf = (text: string | null | undefined): number | undefined =>
  text === null || text === undefined ? undefined : Number(text);

type Fields = Readonly<Record<string, string>>;
type StreamReply = [id: string, fields: string[]][];

/** How long one answer may take. Loading a large environment takes the longest. */
const ANSWER_MS = 5_000;

/** How late a blocking read may be: later than this, nobody is at the other end. */
const STREAM_MS = 1_500;

const answered = <T>(reply: Promise<T>, timeoutMs: number = ANSWER_MS): Promise<T> =>
  withDeadline(reply, timeoutMs, () => new Error(`Redis did not answer within ${timeoutMs} ms.`));

const parse = <T>(text: string): T => JSON.parse(text) as T;

const execute = async (transaction: ChainableCommander): Promise<unknown[]> => {
  const replies = await answered(transaction.exec());
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
};

/** The log position in an entry's id. */
export const positionOf = (id: string): Position => toPosition(id.slice(0, id.indexOf('-')));

const entryOf = ([id, pairs]: StreamReply[number]): ChangeEntry => {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < pairs.length; index += 2)
    fields[pairs[index] ?? ''] = pairs[index + 1] ?? '';
  return {
    id,
    position: positionOf(id),
    prev: fields['prev'] ?? '',
    generation: fields['generation'] ?? '',
    changes: parse(fields['changes'] ?? '[]'),
  };
};

const contentsOf = (texts: Fields): EnvironmentContents => {
  const flags = new Map<string, Ruleset>();
  const segments = new Map<string, SegmentDefinition>();
  for (const [name, text] of Object.entries(texts)) {
    if (!isSegmentEntry(name)) flags.set(name, parse(text));
    else if (!isSegmentPart(name)) {
      const definition = restoredSegment(parse(text), (part) => parse(texts[part] ?? ''));
      segments.set(definition.key, definition);
    }
  }
  return { flags, segments };
};

/** What the feed asks of Redis. Every call fails when its answer does not come in time. */
export const redisRulesetReader = (redis: Redis, layout: RedisLayout) => ({
  /** Undefined when Redis holds no snapshot: never filled, or flushed. @throws SnapshotUnusable */
  head: async (): Promise<SnapshotHead | undefined> => {
    const [checkpoint, environments, last] = (await execute(
      redis
        .multi()
        .hgetall(layout.checkpoint)
        .hkeys(layout.environments)
        .xrevrange(layout.changes, '+', '-', 'COUNT', 1),
    )) as [Fields, string[], StreamReply];
    const { position, generation } = checkpoint;
    if (position === undefined || generation === undefined) return undefined;
    requireCount('environments', numberOf(checkpoint['environments']), environments.length);
    const lastId = last[0]?.[0] ?? '0-0';
    return { position: toPosition(position), generation, lastId, environmentIds: environments };
  },

  environment: async (id: string): Promise<EnvironmentSnapshot> => {
    const [[position, generation, count], environments, known, texts] = (await execute(
      redis
        .multi()
        .hmget(layout.checkpoint, 'position', 'generation', 'environments')
        .hlen(layout.environments)
        .hget(layout.environments, id)
        .hgetall(layout.rulesets(id)),
    )) as [(string | null)[], number, string | null, Fields];
    requireCount('environments', numberOf(count), environments);
    if (known !== null)
      requireCount(`entries of '${id}'`, countIn(known), Object.keys(texts).length);
    return {
      position: toPosition(position ?? -1),
      generation: generation ?? '',
      contents: known === null ? null : contentsOf(texts),
    };
  },

  /** Entries after `id`, oldest first, at most `count`; waits up to `blockMs` for the first. */
  entriesAfter: async (id: string, count: number, blockMs: number): Promise<ChangeEntry[]> => {
    const reply = await answered(
      redis.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', layout.changes, id),
      blockMs + STREAM_MS,
    );
    return (reply?.[0]?.[1] ?? []).map(entryOf);
  },
});

export type RedisRulesetReader = ReturnType<typeof redisRulesetReader>;
