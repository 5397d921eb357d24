import { test } from 'tap';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../src/domain/segment.js';
import { redisLayout } from '../../src/infrastructure/redis/layout.js';
import { redisProjector } from '../../src/infrastructure/redis/projector.js';
import { redisRulesetFeed } from '../../src/infrastructure/redis/ruleset-feed.js';
import { redisSnapshot } from '../../src/infrastructure/redis/snapshot.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { configTag } from '../../src/queries/evaluation/config-tag.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { batchOf } from '../support/applied-rows.js';
import {
  onSegment,
  PROJECT_ID,
  projectBegins,
  recorded,
  segmentContent,
} from '../support/histories.js';
import { memoryEventLog } from '../support/memory-event-log.js';
import { nothingSealed } from '../support/personal-data.js';
import { testRedis } from '../support/redis.js';
import { silentLog } from '../support/silent-log.js';

const ENVIRONMENT = `${PROJECT_ID}:production`;
const keys = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, nth) => `${name}-${nth}`);

const added = (included: readonly string[], excluded: readonly string[] = []): SegmentEvent => ({
  type: 'SegmentKeysAdded',
  data: { included, excluded },
});
const removed = (included: readonly string[]): SegmentEvent => ({
  type: 'SegmentKeysRemoved',
  data: { included, excluded: [] },
});

/** From whole to parts, edits of them, more parts, very many keys at once, and back. */
const EVENTS: readonly SegmentEvent[] = [
  { type: 'SegmentCreated', data: { ...segmentContent('staff'), included: keys('a', 90) } },
  added(keys('b', 200)),
  added(['c'], ['x']),
  removed(['a-7', 'b-9']),
  { type: 'SegmentRulesChanged', data: { rules: [{ id: 'r', description: '', clauses: [] }] } },
  added(keys('d', 30_000)),
  added(['e']),
  removed(keys('d', 30_000)),
  { type: 'SegmentDeleted', data: {} },
  { type: 'SegmentRestored', data: { content: segmentContent('staff'), fromRevision: 0 } },
];

const wanted = (segment: Segment) =>
  segment.status !== 'active'
    ? undefined
    : {
        included: new Set(segment.included),
        excluded: new Set(segment.excluded),
        rules: segment.rules,
      };

test('processes have a long segment as it is, whether they follow or come later', async (t) => {
  const url = process.env['TEST_REDIS_URL'] ?? '';
  const { redis, prefix } = await testRedis(t);
  const projector = redisProjector({
    redis: redisSnapshot(redis, redisLayout(prefix)),
    loadCurrentStates: async () => ({
      ...{ position: null, recordedAt: null, applied: null },
      ...{ projects: [], flags: [], segments: [] },
    }),
    eventLog: memoryEventLog([]),
    personal: nothingSealed,
    confirm: async () => undefined,
  });
  await projector.consumer.resume();
  const log = recorded([...projectBegins, ...EVENTS.map((event) => onSegment('staff', event))]);
  const apply = (from: number, to?: number) =>
    projector.consumer.apply({ ...batchOf(log.slice(from, to)), isCaughtUp: true });
  await apply(0, projectBegins.length);

  const startFeed = async () => {
    const memory = rulesetMemory({ compileRegex });
    const feed = redisRulesetFeed({ url, prefix, memory, log: silentLog() });
    t.teardown(feed.close);
    await feed.start();
    return { memory, feed };
  };
  const following = await startFeed();
  let state: Segment = absentSegment;
  for (const [nth, event] of EVENTS.entries()) {
    state = evolveSegment(state, event);
    const at = projectBegins.length + nth;
    await apply(at, at + 1);
    t.ok(await following.memory.waitForPosition(log[at]!.position, 20_000));
    const later = await startFeed();
    const environments = [following, later].map(({ memory }) =>
      memory.current()!.environments.get(ENVIRONMENT)!,
    );
    for (const { segments } of environments) {
      const { included, excluded, rules } = segments.get('staff')?.definition ?? {};
      const found = { included: new Set(included), excluded: new Set(excluded), rules };
      t.strictSame(segments.has('staff') ? found : undefined, wanted(state), event.type);
    }
    t.equal(configTag(environments[0]!), configTag(environments[1]!), 'both serve the same');
    await later.feed.close();
  }
  t.strictSame(await projector.verify(), []);
});

test('a snapshot of the layout before is not read, and is filled anew', async (t) => {
  const { redis, prefix } = await testRedis(t);
  const layout = redisLayout(prefix);
  const snapshot = redisSnapshot(redis, layout);
  const to = { position: 7, recordedAt: null, applied: 7 };
  const stand = await snapshot.refill(to, new Map([[ENVIRONMENT, new Map([['a', '{}']])]]));
  t.ok(await snapshot.isWhole());
  await redis.hset(layout.environments, ENVIRONMENT, '7:1');
  t.notOk(await snapshot.isWhole());
  const entries = new Map([['a', '{}']]);
  const writes = [{ environment: ENVIRONMENT, entries }];
  const outcome = await snapshot.apply(stand!, { ...to, position: 8 }, { changes: [], writes });
  t.not(outcome, 'written');
});
