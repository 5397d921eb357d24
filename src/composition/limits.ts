import { parseBudget } from '../api/limits/budget.js';
import { type Budgets, type Limits } from '../api/limits/limits.js';
import { type Config } from '../config.js';
import { redisBuckets } from '../infrastructure/redis/redis-buckets.js';

const budgetsOf = (config: Config): Budgets => ({
  login: parseBudget(config.rateLimitLogin),
  account: parseBudget(config.rateLimitAccount),
  commands: parseBudget(config.rateLimitCommands),
  tenantCommands: parseBudget(config.rateLimitTenantCommands),
  queries: parseBudget(config.rateLimitQueries),
  tenantQueries: parseBudget(config.rateLimitTenantQueries),
  public: parseBudget(config.rateLimitPublic),
  evaluation: parseBudget(config.rateLimitEvaluation),
  clientEvaluation: parseBudget(config.rateLimitClientEvaluation),
  refusals: parseBudget(config.rateLimitRefusals),
});

/** The configured limits, over buckets in Redis. */
export const openLimits = (
  config: Config,
  redisUrl: string,
): Readonly<{ limits: Limits; close: () => void }> => {
  const { take: takeShared, close } = redisBuckets(redisUrl, config.redisPrefix);
  return { limits: { budgets: budgetsOf(config), takeShared }, close };
};
