import { Redis } from 'ioredis';
import {
  type Ruleset,
  type RulesetChange,
  segmentEntry,
} from '../../src/domain/evaluation/ruleset.js';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { redisSnapshot, type Stand } from '../../src/infrastructure/redis/snapshot.js';
import { type SnapshotWrite } from '../../src/projections/evaluation-snapshot.js';

type Contents = Readonly<Record<string, readonly Ruleset[] | null>>;

const textsOf = (rulesets: readonly Ruleset[]): ReadonlyMap<string, string> =>
  new Map(rulesets.map((ruleset) => [ruleset.key, JSON.stringify(ruleset)]));

const fillOf = ([environment, rulesets]: [string, Contents[string]]): SnapshotWrite => ({
  environment,
  fill: rulesets ? textsOf(rulesets) : null,
});

const entriesOf = (change: RulesetChange): readonly SnapshotWrite[] => {
  if ('reload' in change || 'edit' in change) return [];
  const [name, value] =
    'segment' in change
      ? [segmentEntry(change.segment), change.definition]
      : [change.flag, change.ruleset];
  const text = value === null ? null : JSON.stringify(value);
  return [{ environment: change.environment, entries: new Map([[name, text]]) }];
};

/** The projector's own writer, told directly what to write. An empty Redis is filled, then batches are applied. */
export const writtenSnapshot = (url: string, prefix: string) => {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const layout = redisLayout(prefix);
  const writer = redisSnapshot(redis, layout);
  let stand: Stand | undefined;

  const checkpointAt = (position: number) => ({
    position,
    recordedAt: '2026-01-01T00:00:00.000Z',
    applied: position,
  });

  const batch = async (
    position: number,
    changes: readonly RulesetChange[],
    contents: Contents = {},
  ): Promise<void> => {
    if (stand === undefined) throw new Error('Fill it first.');
    const writes = [...Object.entries(contents).map(fillOf), ...changes.flatMap(entriesOf)];
    const outcome = await writer.apply(stand, checkpointAt(position), { changes, writes });
    if (outcome !== 'written') throw new Error(`Redis stands at ${JSON.stringify(outcome)}.`);
    stand = { position, generation: stand.generation };
  };

  return {
    redis,
    layout,
    batch,
    /** Sets one flag of an environment that exists. */
    change: (position: number, environment: string, ruleset: Ruleset) =>
      batch(position, [{ environment, flag: ruleset.key, ruleset }]),
    /** Replaces whole environments in one batch; `null` deletes one. */
    replace: (position: number, contents: Contents) =>
      batch(
        position,
        Object.keys(contents).map((environment) => ({ environment, reload: true })),
        contents,
      ),
    /** Replaces everything, as another generation. */
    refill: async (
      position: number,
      contents: Readonly<Record<string, readonly Ruleset[]>>,
    ): Promise<void> => {
      const texts = Object.entries(contents).map(
        ([id, rulesets]) => [id, textsOf(rulesets)] as const,
      );
      stand = await writer.refill(checkpointAt(position), new Map(texts));
    },
    generation: (): string => stand?.generation ?? '',
    /** What a flush leaves, for this prefix only. */
    forget: async (): Promise<void> => {
      const keys = await redis.keys(`{${prefix}}:*`);
      if (keys.length > 0) await redis.del(keys);
    },
    close: async (): Promise<void> => {
      redis.disconnect();
    },
  };
};
