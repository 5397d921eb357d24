import * as fc from 'fast-check';
import { test, type Test } from 'tap';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { redisProjector } from '../../src/infrastructure/redis/projector.js';
import { redisSnapshot } from '../../src/infrastructure/redis/snapshot.js';
import {
  type CurrentStates,
  evaluationSnapshot,
} from '../../src/projections/evaluation-snapshot.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { foldEvents } from '../../src/projections/fold/fold.js';
import { nothingSealed } from '../support/personal-data.js';
import {
  type Entry,
  flagContent,
  onFlag,
  PROJECT_ID,
  projectBegins,
  recorded,
  skipping,
} from '../support/histories.js';
import { batchOf } from '../support/applied-rows.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { testRedis } from '../support/redis.js';
import { snapshotLogs } from '../support/snapshot-histories.js';

const nothing: CurrentStates = {
  position: null,
  recordedAt: null,
  applied: null,
  projects: [],
  flags: [],
  segments: [],
};
const history = recorded([
  ...projectBegins,
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag('beta', { type: 'FlagCreated', data: flagContent('beta') }),
  onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'production' } }),
  {
    stream: 'apiKey-acme:k1',
    event: { type: 'ApiKeyRevoked', data: { keyId: 'k1' } },
  },
  onFlag('beta', { type: 'FlagDeleted', data: {} }),
]);
const end = history.at(-1)!.position;
const live = (events: readonly LogEvent[]) => ({ ...batchOf(events), isCaughtUp: true });

const setUp = async (t: Test, confirm = async (): Promise<void> => undefined) => {
  const { redis, prefix, flush } = await testRedis(t);
  const layout = redisLayout(prefix);
  const snapshot = redisSnapshot(redis, layout);
  const start = async (events: readonly LogEvent[] = [], log = events) => {
    const projector = redisProjector({
      redis: snapshot,
      loadCurrentStates: async () => nothing,
      eventLog: memoryEventLog(log),
      personal: nothingSealed,
      confirm,
    });
    await projector.consumer.resume();
    if (events.length > 0) await projector.consumer.apply(live(events));
    return projector;
  };
  const entries = async () =>
    (await redis.xrange(layout.changes, '-', '+')).map(([id, pairs]) => {
      const field = (name: string): string => pairs[pairs.indexOf(name) + 1] ?? '';
      const [prev, generation, changes] = [field('prev'), field('generation'), field('changes')];
      return { id, prev, generation, changes };
    });
  return { redis, layout, snapshot, flush, start, entries };
};

test('each batch is one entry with its checkpoint', async (t) => {
  const { redis, layout, start, entries } = await setUp(t);
  const projector = await start();
  for (const event of history) await projector.consumer.apply(live([event]));

  const all = await entries();
  t.strictSame(
    all.map(({ id }) => id),
    history.map(({ position }) => `${position}-0`),
  );
  t.strictSame(
    all.map(({ prev }) => prev),
    ['0-0', ...all.slice(0, -1).map(({ id }) => id)],
  );
  t.equal(new Set(all.map(({ generation }) => generation)).size, 1);
  t.equal(all.at(-2)?.changes, '[]', 'an API key changes no ruleset');
  t.match(JSON.parse(all.at(-1)!.changes), [{ flag: 'beta', ruleset: null }, {}]);
  t.match(await redis.hgetall(layout.checkpoint), {
    position: String(end),
    recordedAt: history.at(-1)?.recordedAt,
    generation: all[0]?.generation,
  });
  t.strictSame(await redis.hkeys(layout.rulesets(`${PROJECT_ID}:production`)), ['alpha']);
  t.strictSame(await projector.verify(), []);
});

test('a batch delivered twice, and one without events, change nothing', async (t) => {
  const { start, entries } = await setUp(t);
  const projector = await start(history);
  const before = await entries();
  await projector.consumer.apply(live(history));
  await projector.consumer.apply({ events: [], position: Number(end) + 500, isCaughtUp: true });
  t.strictSame(await entries(), before);
});

test('a flushed Redis is filled again, under a new generation', async (t) => {
  const { snapshot, flush, start } = await setUp(t);
  const projector = await start(history);
  const before = await snapshot.stand();
  await projector.check();
  t.strictSame(await snapshot.stand(), before, 'an intact one is left alone');
  await flush();
  t.not((await projector.verify())?.length, 0);
  await projector.check();
  const after = await snapshot.stand();
  t.equal(after?.position, end);
  t.not(after?.generation, before?.generation);
  t.strictSame(await projector.verify(), []);
});

test('a flush just before a batch loses nothing', async (t) => {
  const { snapshot, flush, start } = await setUp(t);
  const projector = await start(history.slice(0, 5));
  await flush();
  await projector.consumer.apply(live(history.slice(5)));
  t.equal((await snapshot.stand())?.position, end);
  t.strictSame(await projector.verify(), []);
});

test('a lost answer is no reason to fill again', async (t) => {
  const { redis, snapshot, start } = await setUp(t);
  const projector = await start(history.slice(0, 5));
  const before = await snapshot.stand();
  const call = redis.call.bind(redis) as (...all: unknown[]) => Promise<unknown>;
  Object.assign(redis, {
    call: async (...all: unknown[]) => {
      await call(...all);
      throw new Error('Command timed out');
    },
  });
  await t.rejects(projector.consumer.apply(live(history.slice(5))));
  Object.assign(redis, { call });
  await projector.consumer.resume();
  t.strictSame(await snapshot.stand(), { ...before, position: end });
  t.strictSame(await projector.verify(), []);
});

test('a restart takes an intact snapshot over, and replaces any other', async (t) => {
  const { redis, layout, snapshot, start } = await setUp(t);
  await start(history);
  const before = await snapshot.stand();

  await start(history.slice(0, 4));
  t.not((await snapshot.stand())?.generation, before?.generation, 'it was ahead of the log');
  const replaced = await snapshot.stand();
  t.equal(replaced?.position, history[3]?.position);

  const caughtUp = await start(history.slice(0, 4));
  t.strictSame(await snapshot.stand(), replaced);
  await caughtUp.consumer.apply(live(history.slice(4)));

  await redis.hdel(layout.rulesets(`${PROJECT_ID}:production`), 'alpha');
  await redis.hset(layout.rulesets('gone:from:history'), 'x', '{}');
  const repaired = await start(history);
  t.strictSame(await repaired.verify(), []);
  t.equal(await redis.exists(layout.rulesets('gone:from:history')), 0);
});

test('Redis never goes back while the projector catches up with it', async (t) => {
  const { snapshot, start } = await setUp(t);
  await start(history);
  const before = await snapshot.stand();
  const restarted = await start();
  t.strictSame(await snapshot.stand(), before);
  await restarted.consumer.apply({ ...batchOf(history.slice(0, 4)), isCaughtUp: false });
  t.strictSame(await snapshot.stand(), before);
  await restarted.consumer.apply(live(history.slice(4)));
  t.strictSame(await snapshot.stand(), before);
  t.strictSame(await restarted.verify(), []);
});

test('who does not lead any more replaces nothing', async (t) => {
  let leads = true;
  const { snapshot, start } = await setUp(t, async () => {
    if (!leads) throw new Error('not the leader');
  });
  const stale = await start(history.slice(0, 4));
  const leader = await start(history.slice(0, 4));
  await leader.consumer.apply(live(history.slice(4)));
  const before = await snapshot.stand();
  leads = false;
  await t.rejects(stale.consumer.apply(live(history.slice(4, 5))), /not the leader/);
  t.strictSame(await snapshot.stand(), before);
  t.strictSame(await leader.verify(), []);
});

test('a stream with an event that cannot be applied is parked, and all others go on', async (t) => {
  const { redis, layout, snapshot, start } = await setUp(t);
  const odd: LogEvent = { ...history[5]!, type: 'FlagPainted' };
  const { consumer, verify } = await start();
  const { parked } = await consumer.apply(live([...history.slice(0, 5), odd, ...history.slice(6)]));
  t.match(parked, [{ stream: odd.stream, position: odd.position }]);
  t.match(consumer.parked(), [{ stream: odd.stream, type: 'FlagPainted' }]);
  t.equal((await snapshot.stand())?.position, end);
  t.strictSame(await verify(), []);
  t.strictSame(await redis.hkeys(layout.rulesets(`${PROJECT_ID}:production`)), ['alpha']);
});

test('a parked stream is replayed from the log when the projector starts', async (t) => {
  const { redis, layout, snapshot } = await setUp(t);
  const fold = evaluationSnapshot(nothing);
  const odd: LogEvent = { ...history[5]!, type: 'FlagPainted' };
  fold.apply(
    foldEvents([...history.slice(0, 5), odd, ...history.slice(6)], fold.lookUp, null).steps,
  );
  const tracked = fold.parked().get(odd.stream)!;
  const states = evaluationSnapshot(nothing);
  states.apply(foldEvents(history.slice(0, 5), states.lookUp, null).steps);
  const members = ['project-acme:shop', 'flag-acme:shop:alpha', 'flag-acme:shop:beta'].map(
    states.lookUp,
  ) as never[];
  const projector = redisProjector({
    redis: snapshot,
    loadCurrentStates: async () => ({
      position: end,
      applied: end,
      recordedAt: history.at(-1)!.recordedAt,
      projects: members.slice(0, 1),
      flags: members.slice(1),
      segments: [],
      parked: [{ stream: odd.stream, ...tracked }],
    }),
    eventLog: memoryEventLog(history),
    personal: nothingSealed,
    confirm: async () => undefined,
  });
  await projector.consumer.resume();
  t.strictSame(projector.consumer.parked(), []);
  const text = await redis.hget(layout.rulesets(`${PROJECT_ID}:production`), 'alpha');
  t.match(JSON.parse(text ?? '{}'), { revision: 1 }, 'the event that waited is applied');
});

test('behind an event that is skipped a stream goes on', async (t) => {
  const { redis, layout, snapshot, start } = await setUp(t);
  const entries = history.map(({ stream, type, data }) => ({ stream, event: { type, data } }));
  const log = recorded([
    ...(entries as Entry[]),
    onFlag('alpha', { type: 'FlagEnabled', data: { environment: 'development' } }),
    skipping('flag-acme:shop:alpha', 1),
    onFlag('alpha', { type: 'FlagDetailsChanged', data: { name: 'a', description: '', tags: [] } }),
  ]).map((event, nth) => (nth === 5 ? { ...event, type: 'FlagPainted' } : event));
  const alpha = async (environment: string) =>
    JSON.parse(
      (await redis.hget(layout.rulesets(`${PROJECT_ID}:${environment}`), 'alpha')) ?? '{}',
    ) as unknown;
  const { consumer, verify } = await start([], log);
  await consumer.apply(live(log.slice(0, 9)));
  t.match(consumer.parked(), [{ revision: 1, waiting: 1 }]);
  t.match(await alpha('development'), { revision: 0, configuration: { enabled: false } });
  await consumer.apply(live(log.slice(9, 10)));
  t.strictSame(consumer.parked(), []);
  t.match(await alpha('development'), { revision: 2, configuration: { enabled: true } });
  t.match(await alpha('production'), { revision: 2, configuration: { enabled: false } });
  await consumer.apply(live(log.slice(10)));
  t.match(await alpha('production'), { revision: 3 });
  t.equal((await snapshot.stand())?.position, log.at(-1)!.position);
  t.strictSame(await verify(), []);
});

test('an event that comes after its time is noticed, not dropped', async (t) => {
  const { start } = await setUp(t);
  const enabled = history.find(({ type }) => type === 'FlagEnabled')!;
  const projector = await start(history.filter((event) => event !== enabled));
  const { poison } = await projector.consumer.apply(live([enabled]));
  t.match(poison?.message, /delivered position/);
});

test('Redis equals the states after any history, in any batches, flushed at any time', async (t) => {
  const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_121);
  t.comment(`seed ${seed}`);
  const { flush, start } = await setUp(t);
  await fc.assert(
    fc.asyncProperty(snapshotLogs(), fc.integer({ min: 1, max: 9 }), async (log, size) => {
      await flush();
      const projector = await start();
      for (let at = 0; at < log.length; at += size) {
        if (at % 17 === 5) await flush();
        await projector.consumer.apply(live(log.slice(at, at + size)));
      }
      t.strictSame(await projector.verify(), []);
      const again = await start(log);
      t.strictSame(await again.verify(), []);
    }),
    { seed, numRuns: 40 },
  );
});
