import { type ChainableCommander, Redis } from 'ioredis';
import { type RulesetChange } from '../../src/domain/evaluation/change.js';
import { type Ruleset } from '../../src/domain/evaluation/ruleset.js';
import { redisLayout } from '../../src/infrastructure/redis-layout.js';

/** Writes the evaluation snapshot as redis-layout.ts says, one batch a transaction. */
export const redisSnapshot = (url: string, prefix: string) => {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const layout = redisLayout(prefix);
  let prev = '0-0';
  let generation = 'first';

  const set = (to: ChainableCommander, id: string, flag: string, ruleset: Ruleset | null): void => {
    if (ruleset === null) to.hdel(layout.rulesets(id), flag);
    else to.hset(layout.rulesets(id), flag, JSON.stringify(ruleset));
  };

  const batch = async (
    position: number,
    changes: readonly RulesetChange[],
    rulesets: Readonly<Record<string, readonly Ruleset[] | null>> = {},
  ): Promise<void> => {
    const transaction = redis.multi();
    for (const [id, content] of Object.entries(rulesets)) {
      transaction.del(layout.rulesets(id));
      if (content === null) transaction.hdel(layout.environments, id);
      else transaction.hset(layout.environments, id, position);
      for (const ruleset of content ?? []) set(transaction, id, ruleset.key, ruleset);
    }
    for (const change of changes)
      if (!('reload' in change)) set(transaction, change.environment, change.flag, change.ruleset);
    const id = `${position}-0`;
    const fields = ['prev', prev, 'generation', generation, 'changes', JSON.stringify(changes)];
    transaction.hset(layout.checkpoint, {
      position,
      generation,
      recordedAt: '2026-01-01T00:00:00.000Z',
    });
    transaction.xadd(layout.changes, id, ...fields);
    await transaction.exec();
    prev = id;
  };

  return {
    redis,
    layout,
    batch,
    /** Sets one flag of an environment that exists. */
    change: (position: number, environment: string, ruleset: Ruleset) =>
      batch(position, [{ environment, flag: ruleset.key, ruleset }]),
    /** Replaces whole environments; `null` deletes one. */
    replace: (position: number, rulesets: Readonly<Record<string, readonly Ruleset[] | null>>) =>
      batch(
        position,
        Object.keys(rulesets).map((environment) => ({ environment, reload: true })),
        rulesets,
      ),
    /** What a flush leaves, for this prefix only. */
    forget: async (): Promise<void> => {
      const keys = await redis.keys(`{${prefix}}:*`);
      if (keys.length > 0) await redis.del(keys);
      prev = '0-0';
    },
    /** What comes next belongs to a refill. */
    newGeneration: (name: string): void => {
      generation = name;
    },
    close: async (): Promise<void> => {
      redis.disconnect();
    },
  };
};
