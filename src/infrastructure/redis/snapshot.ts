import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Position, toPosition } from '../../domain/position.js';
import { type Checkpoint } from '../../projections/checkpoint.js';
import {
  type Entries,
  type SnapshotDelta,
  type SnapshotWrite,
} from '../../projections/evaluation-snapshot.js';
import {
  APPLY,
  CHANGES_KEPT,
  countIn,
  type RedisLayout,
  type ScriptReply,
  SWAP,
} from './layout.js';

/** Where Redis stands; undefined when it holds nothing. */
export type Stand = Readonly<{ position: Position; generation: string }>;

/** Fields of one hash command: Lua's `unpack` holds about 8 000. */
const FIELDS_AT_ONCE = 1_000;

/** How long an unfinished refill's keys stay. */
const STAGED_SECONDS = 600;

const ANSWER_MS = 3_000;

/** What a server says that is no primary any more, has lost its replicas or its cluster, or is still loading. */
const CANNOT_WRITE = /\b(READONLY|NOREPLICAS|MASTERDOWN|LOADING|CLUSTERDOWN)\b/;

/** A connection for the projector: every command ends, and a connection that went silent is replaced. */
export const createProjectorRedis = (url: string): Redis => {
  const redis = new Redis(url, {
    connectTimeout: 1_000,
    commandTimeout: ANSWER_MS,
    socketTimeout: ANSWER_MS,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
    // The name may lead to another server by now.
    reconnectOnError: ({ message }) => CANNOT_WRITE.test(message),
  });
  redis.on('error', () => undefined);
  return redis;
};

const chunksOf = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / FIELDS_AT_ONCE) }, (_, nth) =>
    items.slice(nth * FIELDS_AT_ONCE, (nth + 1) * FIELDS_AT_ONCE),
  );

const pairsOf = (entries: Entries): readonly (readonly string[])[] =>
  chunksOf([...entries]).map((chunk) => chunk.flat());

type Operation = Readonly<{ name: 'set' | 'unset' | 'drop'; values: readonly string[] }>;

const operationsOf = (write: SnapshotWrite): readonly Operation[] => {
  if ('fill' in write) {
    const filling = write.fill === null ? [] : [[], ...pairsOf(write.fill)];
    return [
      { name: 'drop', values: [] },
      ...filling.map((values) => ({ name: 'set', values }) as const),
    ];
  }
  const set = new Map<string, string>();
  const unset: string[] = [];
  for (const [name, json] of write.entries)
    if (json === null) unset.push(name);
    else set.set(name, json);
  return [
    ...pairsOf(set).map((values) => ({ name: 'set', values }) as const),
    ...chunksOf(unset).map((values) => ({ name: 'unset', values }) as const),
  ];
};

const standing = (stand: Stand | undefined): readonly string[] => [
  stand === undefined ? '' : String(stand.position),
  stand?.generation ?? '',
];

/** The evaluation snapshot as it is in Redis. All of it is written by two scripts; see layout.ts. */
export const redisSnapshot = (redis: Redis, layout: RedisLayout) => {
  const heads = [layout.checkpoint, layout.environments, layout.changes];

  const run = async (
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<ScriptReply> =>
    (await redis.call('eval', [script, keys.length, ...keys, ...values])) as ScriptReply;

  const stand = async (): Promise<Stand | undefined> => {
    const [position, generation] = await redis.hmget(layout.checkpoint, 'position', 'generation');
    if (typeof position !== 'string' || typeof generation !== 'string') return undefined;
    return { position: toPosition(position), generation };
  };

  const stage = async (generation: string, id: string, entries: Entries): Promise<void> => {
    const key = layout.staged(generation, id);
    for (const values of pairsOf(entries)) await redis.hset(key, ...values);
    await redis.expire(key, STAGED_SECONDS);
  };

  /** Rulesets that no environment of the snapshot has, and refills that were never finished. */
  const deleteLeftovers = async (contents: ReadonlyMap<string, Entries>): Promise<void> => {
    const kept = new Set([...contents.keys()].map(layout.rulesets));
    for (const pattern of [layout.rulesets('*'), layout.staged('*', '*')]) {
      const found = redis.scanStream({ match: pattern.replace(/[[\]?\\]/g, '\\$&'), count: 1_000 });
      for await (const keys of found as AsyncIterable<string[]>) {
        const leftovers = keys.filter((key) => !kept.has(key));
        if (leftovers.length > 0) await redis.unlink(...leftovers);
      }
    }
  };

  return {
    stand,

    /** @returns undefined when it was written, else where Redis stands instead of at `from` */
    apply: async (
      from: Stand,
      to: Checkpoint,
      { changes, writes }: SnapshotDelta,
    ): Promise<'written' | Stand | undefined> => {
      const keys = [...heads, ...writes.map(({ environment }) => layout.rulesets(environment))];
      const operations = writes.flatMap((write, nth) =>
        operationsOf(write).flatMap(({ name, values }) => [
          ...[name, heads.length + nth + 1, write.environment, values.length],
          ...values,
        ]),
      );
      const head = [
        String(to.position),
        to.recordedAt ?? '',
        JSON.stringify(changes),
        CHANGES_KEPT,
      ];
      const values = [...standing(from), ...head, ...operations];
      const [written, position, generation] = await run(APPLY, keys, values);
      if (written === 1) return 'written';
      return position === ''
        ? undefined
        : { position: toPosition(position ?? -1), generation: generation ?? '' };
    },

    /** Replaces all that Redis holds. @returns where it stands now; undefined when another writer was faster */
    refill: async (
      to: Checkpoint,
      contents: ReadonlyMap<string, Entries>,
    ): Promise<Stand | undefined> => {
      const generation = randomUUID();
      const from = await stand();
      const old = await redis.hkeys(layout.environments).catch(() => []);
      const filled = [...contents].filter(([, entries]) => entries.size > 0);
      for (const [id, entries] of filled) await stage(generation, id, entries);
      const [written] = await run(
        SWAP,
        [
          ...heads,
          ...filled.flatMap(([id]) => [layout.staged(generation, id), layout.rulesets(id)]),
          ...old.map(layout.rulesets),
        ],
        [
          ...standing(from),
          ...[String(to.position), to.recordedAt ?? '', generation, filled.length],
          ...[...contents].flatMap(([id, entries]) => [id, entries.size]),
        ],
      );
      if (written !== 1) return undefined;
      await deleteLeftovers(contents);
      return { position: to.position, generation };
    },

    /** Readers then find nothing, until a projector fills it again. */
    empty: async (): Promise<void> => {
      await redis.unlink(...heads);
    },

    /** Whether every key has as many entries as it should: cheaper than `differences`, and blind to what was altered. */
    isWhole: async (): Promise<boolean> => {
      const environments = Object.entries(await redis.hgetall(layout.environments));
      const count = await redis.hget(layout.checkpoint, 'environments');
      if (Number(count ?? -1) !== environments.length) return false;
      const lengths = redis.pipeline();
      for (const [id] of environments) lengths.hlen(layout.rulesets(id));
      const found = (await lengths.exec()) ?? [];
      return environments.every(([, text], nth) => found[nth]?.[1] === countIn(text));
    },

    /** The ids of all environments that it holds. */
    environments: () => redis.hkeys(layout.environments),

    /** What Redis holds that it should not, and the reverse, in words; empty when it is as it should be. */
    differences: async (
      contents: ReadonlyMap<string, Entries>,
      isCompared: (environment: string) => boolean = () => true,
    ): Promise<readonly string[]> => {
      const held = (await redis.hkeys(layout.environments)).filter(isCompared);
      const found = held.filter((id) => !contents.has(id)).map((id) => `${id} should not be there`);
      for (const [id, entries] of contents) {
        if (!held.includes(id)) found.push(`${id} is missing`);
        const texts = new Map(Object.entries(await redis.hgetall(layout.rulesets(id))));
        for (const name of new Set([...texts.keys(), ...entries.keys()]))
          if (texts.get(name) !== entries.get(name)) found.push(`${id}: ${name} differs`);
      }
      return found;
    },
  };
};

/** Warns, once it is connected, of a Redis that may drop keys by itself when its memory is full. */
export const warnOfEviction = (
  redis: Redis,
  log: Readonly<{ warn: (details: object, message: string) => void }>,
): void => {
  redis.once('ready', () => {
    const told = (text: string): void => {
      const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(text) ?? [];
      if (policy !== 'noeviction')
        log.warn({ policy }, 'Redis may drop keys of ours: set its maxmemory-policy to noeviction');
    };
    redis.info('memory').then(told, () => undefined);
  });
};

export type RedisSnapshot = ReturnType<typeof redisSnapshot>;
