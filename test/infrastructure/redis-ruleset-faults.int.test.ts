import { test } from 'tap';
import { redisRulesetFeed } from '../../src/infrastructure/redis/ruleset-feed.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { redisServer } from '../support/redis-server.js';
import { writtenSnapshot } from '../support/redis-snapshot.js';
import { aRuleset } from '../support/rulesets.js';
import { silentLog } from '../support/silent-log.js';
import { until } from '../support/until.js';

const PROD = 'acme:shop:production';
const ample = 30_000;

test('the last rulesets stay while Redis is away, and the feed finds back by itself', async (t) => {
  const server = await redisServer();
  const memory = rulesetMemory({ compileRegex });
  const revision = (): number | undefined =>
    memory.current()?.environments.get(PROD)?.flags.get('a')?.ruleset.revision;
  const feed = redisRulesetFeed({ url: server.url, prefix: 'faults', memory, log: silentLog() });
  const snapshot = writtenSnapshot(server.url, 'faults');
  t.teardown(async () => {
    await feed.close();
    await snapshot.close();
    server.resume();
    await server.stop();
  });

  await t.test('down at start: there are no rulesets, and the start does not hang', async (t) => {
    await feed.start();
    t.equal(memory.current(), undefined);
    t.notOk(feed.isCurrent());
  });

  await t.test('started later: everything is loaded', async (t) => {
    await server.start();
    await snapshot.refill(5, { [PROD]: [aRuleset('a', { revision: 1 })] });
    t.ok(await memory.waitForPosition(5, ample));
    t.equal(revision(), 1);
  });

  await t.test(
    'killed and started empty: the last rulesets stay until it is refilled',
    async (t) => {
      await server.stop();
      await until('the feed notices', () => !feed.isCurrent());
      t.equal(revision(), 1);
      await server.start();
      await snapshot.forget();
      await snapshot.refill(6, { [PROD]: [aRuleset('a', { revision: 2 })] });
      t.ok(await memory.waitForPosition(6, ample));
      t.equal(revision(), 2);
    },
  );

  await t.test(
    'paused for longer than any answer may take: it is noticed, and made up for',
    async (t) => {
      await until('the feed is current', () => feed.isCurrent());
      server.pause();
      await until('the feed notices', () => !feed.isCurrent());
      t.equal(revision(), 2);
      server.resume();
      await snapshot.change(7, PROD, aRuleset('a', { revision: 3 }));
      t.ok(await memory.waitForPosition(7, ample));
      t.equal(revision(), 3);
    },
  );

  await t.test('closed while Redis hangs: closing does not', async (t) => {
    server.pause();
    await feed.close();
    t.pass('closed');
  });
});
