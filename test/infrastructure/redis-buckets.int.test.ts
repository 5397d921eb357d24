import { test } from 'tap';
import { takenOf } from '../../src/api/limits/buckets.js';
import { redisBuckets } from '../../src/infrastructure/redis/buckets.js';
import { redisServer } from '../support/redis-server.js';
import { testRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const PER_HOUR = 1 / 3600;
const few = { key: 'few', budget: { perSecond: 5 * PER_HOUR, burst: 5 } };
const many = { key: 'many', budget: { perSecond: 100 * PER_HOUR, burst: 100 } };

test('two connections share one bucket', async (t) => {
  const { prefix } = await testRedis(t);
  const url = process.env['TEST_REDIS_URL'] ?? '';
  const both = [redisBuckets(url, prefix), redisBuckets(url, prefix)] as const;
  t.teardown(() => {
    for (const { close } of both) close();
  });
  const [one, other] = both;
  const isAllowed = async ({ take }: typeof one, ask = few): Promise<boolean> => {
    const [fullMs = 0] = await take([ask]);
    return takenOf(fullMs, ask.budget).isAllowed;
  };
  const isReady = (buckets: typeof one) => () =>
    isAllowed(buckets, many).then(
      () => true,
      () => false,
    );
  for (const buckets of both) await until('it is connected', isReady(buckets));

  await t.test('at the same time', async (t) => {
    const asked = Array.from({ length: 20 }, (_, nth) => isAllowed(nth % 2 === 0 ? one : other));
    t.equal((await Promise.all(asked)).filter(Boolean).length, 5);
  });

  await t.test('several are taken from together or not at all', async (t) => {
    const left = async (): Promise<number> => {
      const [fullMs = 0] = await one.take([many]);
      return takenOf(fullMs, many.budget).remaining;
    };
    const before = await left();
    await other.take([few, many]);
    t.equal(await left(), before - 1, 'only what was asked for here');
  });

  await t.test('a bucket expires when it is full', async (t) => {
    const { redis } = await testRedis(t);
    const ask = { key: 'short', budget: { perSecond: 20, burst: 1 } };
    await one.take([ask]);
    const key = `{${prefix}}:limits:short`;
    await until('it has gone', async () => (await redis.exists(key)) === 0);
    t.ok(await isAllowed(one, ask));
    const ttl = await redis.pttl(`{${prefix}}:limits:few`);
    t.ok(ttl > 0 && ttl <= 3_600_000, 'none stays for ever');
  });
});

test('Redis that goes away, hangs and comes back', async (t) => {
  const server = redisServer();
  const redis = await server;
  await redis.start();
  t.teardown(() => redis.stop());
  const buckets = redisBuckets(redis.url, 'gone');
  t.teardown(() => {
    buckets.close();
  });
  const answers = (): Promise<boolean> =>
    buckets.take([many]).then(
      () => true,
      () => false,
    );
  await until('it answers', answers);

  await t.test('it hangs: requests are told, and not kept waiting one after another', async (t) => {
    redis.pause();
    const began = performance.now();
    for (let nth = 0; nth < 50; nth += 1) t.notOk(await answers());
    // 50 requests that each waited would take 2 s.
    t.ok(performance.now() - began < 1_000);
    redis.resume();
    await until('it answers again', answers);
  });

  await t.test('it dies: requests are told at once', async (t) => {
    await redis.stop();
    await until('it is away', async () => !(await answers()));
    t.notOk(await answers());
    await redis.start();
    await until('it answers again', answers);
    t.ok(await answers());
  });
});
