import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Redis } from 'ioredis';
import { type Test } from 'tap';
import { createProjectorRedis } from '../../src/infrastructure/redis/snapshot.js';

/** A connection and a prefix of this test's own; its keys are deleted when the test ends. */
export const testRedis = async (
  t: Test,
  url = process.env['TEST_REDIS_URL'] ?? '',
): Promise<Readonly<{ redis: Redis; prefix: string; flush: () => Promise<void> }>> => {
  const redis = createProjectorRedis(url);
  await once(redis, 'ready', { signal: AbortSignal.timeout(10_000) });
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const flush = async (): Promise<void> => {
    const keys = await redis.keys(`{${prefix}}*`);
    if (keys.length > 0) await redis.del(...keys);
  };
  t.teardown(async () => {
    await flush().catch(() => undefined);
    redis.disconnect();
  });
  return { redis, prefix, flush };
};
