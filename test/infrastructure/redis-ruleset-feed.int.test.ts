import { type Test, test } from 'tap';
import { flagAnswer } from '../../src/queries/evaluation/answers.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { redisRulesetFeed } from '../../src/infrastructure/redis/ruleset-feed.js';
import { redisServer } from '../support/redis-server.js';
import { writtenSnapshot } from '../support/redis-snapshot.js';
import { aRuleset } from '../support/rulesets.js';
import { silentLog } from '../support/silent-log.js';
import { until } from '../support/until.js';

const PROD = 'acme:shop:production';
const DEV = 'acme:shop:development';
const ample = 20_000;

const off = (key: string) => aRuleset(key, { configuration: { enabled: false } });

let made = 0;

/** A snapshot in Redis, and a feed that follows it. */
const followed = async (t: Test, url: string) => {
  const prefix = `feed-${process.pid}-${(made += 1)}`;
  const snapshot = writtenSnapshot(url, prefix);
  const memory = rulesetMemory({ compileRegex });
  const log = silentLog();
  const feed = redisRulesetFeed({ url, prefix, memory, log });
  t.teardown(async () => {
    await feed.close();
    await snapshot.forget().catch(() => undefined);
    await snapshot.close();
  });
  const reason = (environmentId: string, flag: string): unknown => {
    const current = memory.current();
    const environment = current?.environments.get(environmentId);
    if (current === undefined || environment === undefined) return undefined;
    const context = { targetingKey: 'anna', attributes: {}, nowMs: 0 };
    const text = flagAnswer({ environment, position: current.position }, flag, context);
    const { reason, errorCode } = JSON.parse(text) as { reason: string; errorCode?: string };
    return errorCode ?? reason;
  };
  return { snapshot, memory, log, feed, reason };
};

test('the feed', async (t) => {
  const server = await redisServer();
  const given = process.env['TEST_REDIS_URL'];
  if (given === undefined) await server.start();
  t.teardown(() => server.stop());
  const url = given ?? server.url;

  await t.test('loads every environment, also an empty one', async (t) => {
    const { snapshot, memory, feed, reason } = await followed(t, url);
    await snapshot.refill(7, { [PROD]: [aRuleset('a'), off('b')], [DEV]: [] });
    await feed.start();
    t.equal(memory.current()?.position, 7);
    t.equal(reason(PROD, 'a'), 'STATIC');
    t.equal(reason(PROD, 'b'), 'DISABLED');
    t.equal(reason(DEV, 'a'), 'FLAG_NOT_FOUND');
    t.ok(feed.isCurrent());
  });

  await t.test('follows changed, added and removed flags, and batches without any', async (t) => {
    const { snapshot, memory, feed, reason } = await followed(t, url);
    await snapshot.refill(7, { [PROD]: [aRuleset('a'), aRuleset('gone')] });
    await feed.start();
    await snapshot.change(8, PROD, off('a'));
    await snapshot.change(9, PROD, aRuleset('new'));
    await snapshot.batch(12, [{ environment: PROD, flag: 'gone', ruleset: null }]);
    await snapshot.batch(15, []);
    t.ok(await memory.waitForPosition(15, ample));
    t.strictSame(
      ['a', 'new', 'gone'].map((key) => reason(PROD, key)),
      ['DISABLED', 'STATIC', 'FLAG_NOT_FOUND'],
    );
  });

  await t.test('takes in an environment that was added, replaced or deleted', async (t) => {
    const { snapshot, memory, feed, reason } = await followed(t, url);
    await snapshot.refill(7, { [PROD]: [aRuleset('a')] });
    await feed.start();
    await snapshot.replace(8, { [DEV]: [off('a')] });
    await snapshot.replace(9, { [PROD]: [off('a')] });
    t.ok(await memory.waitForPosition(9, ample));
    t.strictSame([reason(DEV, 'a'), reason(PROD, 'a')], ['DISABLED', 'DISABLED']);
    await snapshot.replace(10, { [DEV]: null });
    t.ok(await memory.waitForPosition(10, ample));
    t.notOk(memory.current()?.environments.has(DEV));
    t.ok(memory.current()?.environments.has(PROD));
  });

  await t.test('loads again when entries are missing', async (t) => {
    const { snapshot, memory, feed, log, reason } = await followed(t, url);
    await snapshot.refill(7, { [PROD]: [aRuleset('a')] });
    await feed.start();
    const { redis, layout } = snapshot;
    // A change whose entry never comes: only the snapshot and the next `prev` tell of it.
    await redis
      .multi()
      .hset(layout.rulesets(PROD), 'a', JSON.stringify(off('a')))
      .hset(layout.checkpoint, 'position', 9)
      .xadd(
        layout.changes,
        '9-0',
        'prev',
        '8-0',
        'generation',
        snapshot.generation(),
        'changes',
        '[]',
      )
      .exec();
    t.ok(await memory.waitForPosition(9, ample));
    t.equal(reason(PROD, 'a'), 'DISABLED');
    t.ok(log.messages.some((message) => message.includes('again')));
  });

  await t.test('loads again when the snapshot was refilled as another generation', async (t) => {
    const { snapshot, memory, feed, reason } = await followed(t, url);
    await snapshot.refill(7, { [PROD]: [aRuleset('a')], [DEV]: [aRuleset('a')] });
    await feed.start();
    await snapshot.forget();
    await snapshot.refill(7, { [PROD]: [off('a')] });
    await until('the refill is taken in', () => reason(PROD, 'a') === 'DISABLED');
    t.notOk(memory.current()?.environments.has(DEV));
    await snapshot.change(8, PROD, aRuleset('a'));
    t.ok(await memory.waitForPosition(8, ample));
    t.equal(reason(PROD, 'a'), 'STATIC');
  });

  await t.test('keeps what it has while Redis is empty or behind, then goes on', async (t) => {
    const { snapshot, memory, feed, reason } = await followed(t, url);
    await snapshot.refill(7, { [PROD]: [aRuleset('a')] });
    await feed.start();
    await snapshot.forget();
    await until('the flush is noticed', () => !feed.isCurrent());
    t.equal(reason(PROD, 'a'), 'STATIC');
    await snapshot.refill(3, { [PROD]: [] });
    await snapshot.batch(6, []);
    t.equal(reason(PROD, 'a'), 'STATIC');
    await snapshot.change(8, PROD, off('a'));
    t.ok(await memory.waitForPosition(8, ample));
    t.equal(reason(PROD, 'a'), 'DISABLED');
    await until('the feed is current', () => feed.isCurrent());
    t.pass('current again');
  });

  await t.test(
    'an update is taken in at one position, also when environments are read late',
    async (t) => {
      const { snapshot, memory, feed } = await followed(t, url);
      await snapshot.refill(1, { [PROD]: [aRuleset('a')] });
      await feed.start();
      const torn: string[] = [];
      // Both environments change in one batch, so every state that is seen has the same flag in both.
      memory.subscribe(({ environments, position }) => {
        const [prod, dev] = [PROD, DEV].map(
          (id) => environments.get(id)?.flags.get('a')?.ruleset.revision,
        );
        if (prod !== dev) torn.push(`${position}: ${prod} and ${dev}`);
      });
      for (let position = 2; position < 200; position += 1) {
        const ruleset = aRuleset('a', { revision: position });
        if (position % 3 === 0)
          await snapshot.replace(position, { [PROD]: [ruleset], [DEV]: [ruleset] });
        else
          await snapshot.batch(
            position,
            [PROD, DEV].map((environment) => ({ environment, flag: 'a', ruleset })),
            position === 2 ? { [PROD]: [ruleset], [DEV]: [ruleset] } : {},
          );
      }
      t.ok(await memory.waitForPosition(199, ample));
      t.strictSame(torn, []);
    },
  );
});
