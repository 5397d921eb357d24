import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { type Answer } from '../../support/http-client.js';
import { redisServer } from '../../support/redis-server.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

test('limits hold, and nothing stops, while Redis is away', async (t) => {
  const redis = await redisServer();
  await redis.start();
  t.teardown(() => redis.stop());
  const { startAnother, serverKey } = await testService(t);
  const service = await startAnother({
    REDIS_URL: redis.url,
    RATE_LIMIT_COMMANDS: '4/min',
    RATE_LIMIT_EVALUATION: '3/min',
  });
  const command = (): Promise<Answer> =>
    service.post('/projects', { body: { key: `p-${randomUUID()}`, name: 'One' } });
  const statuses = async (
    count: number,
    ask: () => Promise<Answer>,
  ): Promise<readonly number[]> => {
    const found = [];
    for (let nth = 0; nth < count; nth += 1) found.push((await ask()).status);
    return found;
  };
  const remaining = async (): Promise<string | undefined> =>
    String((await command()).headers['ratelimit-remaining']);
  t.equal(await remaining(), '3');

  await t.test('Redis is killed: every process counts for itself', async (t) => {
    await redis.stop();
    t.strictSame(await statuses(6, command), [201, 201, 201, 201, 429, 429]);
  });

  await t.test('evaluation has its budget as ever', async (t) => {
    const evaluate = (): Promise<Answer> =>
      service.get('/projects/demo/environments/production/evaluate', {
        credential: serverKey,
      });
    t.strictSame(await statuses(5, evaluate), [200, 200, 200, 429, 429]);
  });

  await t.test('Redis is back: the shared budget counts again, by itself', async (t) => {
    await redis.start();
    await until('the shared budget is asked', async () => (await command()).status === 201);
    t.match(await command(), { status: 201, headers: { 'ratelimit-limit': '4' } });
  });
});
