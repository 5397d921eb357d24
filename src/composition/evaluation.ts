import { join } from 'node:path';
import { type Logger } from 'pino';
import type pg from 'pg';
import { type Config } from '../config.js';
import { revealedStates } from '../infrastructure/personal-data/revealed-snapshot.js';
import { compileRegex } from '../infrastructure/re2-regex-compiler.js';
import { redisRulesetFeed } from '../infrastructure/redis/redis-ruleset-feed.js';
import { rulesetDiskCopy } from '../infrastructure/ruleset-disk-copy.js';
import { rulesetSupply } from '../infrastructure/ruleset-supply.js';
import { loadCurrentStates } from '../queries/load-current-states.js';
import { lastEvent } from '../queries/moments/read-position.js';
import { rulesetMemory } from '../queries/rulesets/ruleset-memory.js';
import { type StartedPersonalData } from './personal-data.js';

export const diskCopyPath = ({ dataDirectory }: Config): string =>
  join(dataDirectory, 'rulesets.jsonl');

/** The rulesets that this process evaluates with, and what keeps them current. */
export const startEvaluation = async (
  config: Config,
  {
    redisUrl,
    pool,
    hasCaughtUp,
    personal,
    log,
  }: Readonly<{
    redisUrl: string;
    pool: pg.Pool;
    hasCaughtUp: () => Promise<boolean>;
    personal: StartedPersonalData;
    log: Logger;
  }>,
) => {
  const memory = rulesetMemory({ compileRegex });
  const supply = rulesetSupply({
    memory,
    feed: redisRulesetFeed({ url: redisUrl, prefix: config.redisPrefix, memory, log }),
    loadCurrentStates: revealedStates(loadCurrentStates(pool), personal),
    lastEvent: lastEvent(pool),
    hasCaughtUp,
    diskCopy: rulesetDiskCopy(diskCopyPath(config), log),
    log,
  });
  await supply.start();
  return { memory, supply };
};

export type Evaluation = Awaited<ReturnType<typeof startEvaluation>>;
