import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';

type Ask = Readonly<{ key: string; budget: Readonly<{ perSecond: number; burst: number }> }>;

/** How long a request waits for Redis. */
const ANSWER_MS = 40;

/** After a failure no request waits for so long. */
const PAUSE_MS = 1_000;

/**
 * Takes one from every bucket, or from none when one has none. A bucket is the microsecond at which it is full again;
 * it expires then. Redis's own clock, so that the processes' clocks do not matter.
 * KEYS: buckets. ARGV: for each the microseconds that one takes to come back, and those to fill all of it.
 * Answers for each the microseconds until it would be full again with this one taken.
 */
const TAKE = `
local time = redis.call('time')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local full, allowed = {}, true
for n, key in ipairs(KEYS) do
  local at = tonumber(redis.call('get', key) or now)
  full[n] = math.max(at - now, 0) + ARGV[2 * n - 1]
  if full[n] > ARGV[2 * n] + 1 then allowed = false end
end
if allowed then
  for n, key in ipairs(KEYS) do
    redis.call('set', key, string.format('%.0f', now + full[n]), 'PX', math.ceil(full[n] / 1000))
  end
end
for n, value in ipairs(full) do full[n] = string.format('%.3f', value) end
return full`;

const SHA = createHash('sha1').update(TAKE).digest('hex');

const MICROSECONDS = 1_000_000;

const argumentsOf = ({ budget: { perSecond, burst } }: Ask): readonly number[] => [
  MICROSECONDS / perSecond,
  (MICROSECONDS * burst) / perSecond,
];

const connect = (url: string): Redis => {
  const redis = new Redis(url, {
    connectTimeout: 1_000,
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
  });
  redis.on('error', () => undefined);
  return redis;
};

const isScriptMissing = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOSCRIPT');

/** Token buckets in Redis, on a connection of their own. */
export const redisBuckets = (url: string, prefix: string) => {
  const redis = connect(url);
  let pausedUntil = 0;

  const run = async (keys: readonly string[], values: readonly number[]): Promise<unknown> => {
    const all = [...keys, ...values];
    try {
      return await redis.evalsha(SHA, keys.length, ...all);
    } catch (error) {
      if (!isScriptMissing(error)) throw error;
      return redis.eval(TAKE, keys.length, ...all);
    }
  };

  return {
    /** Milliseconds until each would be full again. @throws at once while Redis is away, else within 100 ms */
    take: async (asks: readonly Ask[]): Promise<readonly number[]> => {
      if (redis.status !== 'ready' || performance.now() < pausedUntil)
        throw new Error('Redis is away.');
      const keys = asks.map(({ key }) => `{${prefix}}:limits:${key}`);
      try {
        const full = (await run(keys, asks.flatMap(argumentsOf))) as readonly string[];
        return full.map((microseconds) => Number(microseconds) / 1000);
      } catch (error) {
        pausedUntil = performance.now() + PAUSE_MS;
        throw error;
      }
    },
    close: (): void => {
      redis.disconnect();
    },
  };
};
