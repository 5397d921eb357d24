import { pino } from 'pino';
import { test } from 'tap';
import { redisRulesetFeed } from '../../src/infrastructure/redis/ruleset-feed.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { writtenSnapshot } from '../support/redis-snapshot.js';
import { testRedis } from '../support/redis.js';
import { aRuleset } from '../support/rulesets.js';
import { silentLog } from '../support/silent-log.js';
import { testService } from '../support/service.js';
import { redisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const PROD = 'acme:shop:production';
const STAGING = 'acme:shop:staging';

test('a snapshot that lacks something is served to nobody', async (t) => {
  const { redis, prefix } = await testRedis(t);
  const url = process.env['TEST_REDIS_URL'] ?? '';
  const snapshot = writtenSnapshot(url, prefix);
  t.teardown(() => snapshot.close());
  const { layout } = snapshot;
  const process_ = () => {
    const memory = rulesetMemory({ compileRegex });
    const feed = redisRulesetFeed({ url, prefix, memory, log: silentLog() });
    t.teardown(() => feed.close());
    return { memory, feed };
  };
  const fill = (position: number) =>
    snapshot.refill(position, {
      [PROD]: [aRuleset('a', { revision: position }), aRuleset('b')],
      [STAGING]: [aRuleset('a')],
    });
  const lost = {
    'the rulesets of an environment': () => redis.del(layout.rulesets(PROD)),
    'one ruleset': () => redis.hdel(layout.rulesets(PROD), 'b'),
    'all environments': () => redis.del(layout.environments),
    'one environment': () => redis.hdel(layout.environments, PROD),
    'the checkpoint': () => redis.del(layout.checkpoint),
  };
  let position = 1;
  await fill(position);
  const old = process_();
  await old.feed.start();
  const flags = () =>
    [...(old.memory.current()?.environments.get(PROD)?.flags.keys() ?? [])].toSorted();
  for (const [name, lose] of Object.entries(lost))
    await t.test(name, async (t) => {
      await until('it follows', () => old.feed.isCurrent());
      await lose();
      old.feed.reconnect();
      const fresh = process_();
      await fresh.feed.start();
      t.equal(fresh.memory.current(), undefined);
      t.notOk(fresh.feed.isCurrent());
      t.strictSame(flags(), ['a', 'b'], 'what was good stays');
      position += 1;
      await fill(position);
      await until('it is taken again', () => old.memory.current()?.position === position);
    });
});

type Status = Readonly<{ position: number }>;

test('a Redis that loses keys, or takes no writes, keeps no change from applications', async (t) => {
  const server = await redisServer();
  await server.start();
  t.teardown(() => server.stop());
  const { redis } = await testRedis(t, server.url);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const service = await testService(t, { REDIS_URL: server.url }, log);
  const { prefix } = service.stores;
  const flag = '/projects/demo/flags/checkout/environments/production';
  await service.post('/projects/demo/flags', { body: { key: 'checkout', type: 'boolean' } });
  await service.post(`${flag}/enable`);
  const evaluate = async () =>
    (
      await service.get<{ value?: boolean; errorCode?: string }>(
        '/projects/demo/environments/production/evaluate/checkout?targetingKey=anna',
        { credential: service.serverKey },
      )
    ).body;
  const serves = (value: boolean) =>
    until(`${String(value)} is served`, async () => (await evaluate()).value === value);
  const rulesets = `{${prefix}}:rulesets:default:demo:production`;
  await serves(true);

  await t.test('one that may drop keys by itself is warned of at the start', async () => {
    await until('it is', () =>
      lines.some((line) => /"policy":"allkeys-lru".*Redis may drop keys/.test(line)),
    );
  });

  await t.test('a lost key comes back by itself, and is never missed', async (t) => {
    await redis.del(rulesets);
    await redis.call('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await until('it is back', async () => {
      t.equal((await evaluate()).errorCode, undefined);
      return (await redis.exists(rulesets)) === 1;
    });
    await redis.del(rulesets);
    await service.post(`${flag}/disable`);
    await serves(false);
    await until('all of it is back', async () => (await redis.hlen(rulesets)) === 1);
    await service.post(`${flag}/enable`);
    await serves(true);
  });

  await t.test('read-only', async () => {
    await redis.replicaof('127.0.0.1', '1');
    await service.post(`${flag}/disable`);
    await serves(false);
    await redis.replicaof('NO', 'ONE');
    await service.post<Status>(`${flag}/enable`);
    await serves(true);
  });

  await t.test('writes held up', async () => {
    await redis.client('PAUSE', 60_000, 'WRITE');
    await service.post(`${flag}/disable`);
    await serves(false);
    await redis.client('UNPAUSE');
  });
});
