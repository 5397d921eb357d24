import fc from 'fast-check';
import { test } from 'tap';
import {
  type ProjectStates,
  revertEnvironment,
} from '../../../src/commands/environments/revert.js';
import { type FlagCommand } from '../../../src/commands/flag/decider.js';
import { type SegmentCommand } from '../../../src/commands/segment/decider.js';
import { OWNER_GRANTS } from '../../../src/domain/access/grants.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { rulesetOf } from '../../../src/domain/evaluation/ruleset.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { absentFlag, evolveFlag, type Flag } from '../../../src/domain/flag/flag.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../../src/domain/segment.js';
import { flagStream, segmentStream } from '../../../src/domain/streams.js';
import { aContext, anEnvironment, aSegment } from '../../support/evaluation.js';
import { ENVIRONMENT, PROJECT_ID } from '../../support/flags.js';
import { inMemoryEventStore } from '../../support/in-memory-event-store.js';
import { metadata } from '../../support/metadata.js';
import { outcomeOf, processOn, type TestProcess } from '../../support/write-sides.js';

const FLAGS = ['a', 'b', 'c', 'd'] as const;
const SEGMENTS = ['s', 't'] as const;
const USERS = ['u1', 'u2', 'u3'];
const PERCENTAGES = [0, 30, 100];

const onFlag = (flagKey: string, environment = ENVIRONMENT) => ({
  projectId: PROJECT_ID,
  flagKey,
  environment,
});

type Step = (process: TestProcess) => Promise<Readonly<{ kind: string }>>;

const flagStep =
  (command: FlagCommand): Step =>
  async ({ flag }) =>
    flag(command);
const segmentStep =
  (command: SegmentCommand): Step =>
  async ({ segment }) =>
    segment(command);

const flagKey = fc.constantFrom(...FLAGS);
const segmentKey = fc.constantFrom(...SEGMENTS);
const environment = fc.constantFrom(ENVIRONMENT, 'staging');
const user = fc.constantFrom(...USERS);
const isOn = fc.boolean();

/** Any step that somebody may take; many are refused, and then nothing happens. */
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  flagKey.map(
    (key): Step =>
      async ({ createFlag }) =>
        createFlag(key),
  ),
  segmentKey.map(
    (key): Step =>
      async ({ createSegment }) =>
        createSegment(key),
  ),
  fc
    .tuple(flagKey, environment, isOn)
    .map(([key, where, on]) =>
      flagStep({ type: on ? 'EnableFlag' : 'DisableFlag', data: onFlag(key, where) }),
    ),
  fc
    .tuple(flagKey, environment, fc.constantFrom(...PERCENTAGES))
    .map(([key, where, percentage]) =>
      flagStep({ type: 'SetRolloutPercentage', data: { ...onFlag(key, where), percentage } }),
    ),
  fc.tuple(flagKey, isOn, isOn).map(([key, on, off]) =>
    flagStep({
      type: 'ChangeVariants',
      data: {
        projectId: PROJECT_ID,
        flagKey: key,
        variants: [
          { name: 'on', value: on },
          { name: 'off', value: off },
        ],
      },
    }),
  ),
  fc
    .tuple(flagKey, fc.constantFrom('on', 'off', null))
    .map(([key, offVariant]) =>
      flagStep({ type: 'ChangeOffVariant', data: { ...onFlag(key), offVariant } }),
    ),
  fc.tuple(flagKey, user, fc.constantFrom('on', 'off')).map(([key, who, variant]) =>
    flagStep({
      type: 'ChangeTargets',
      data: { ...onFlag(key), targets: [{ variant, keys: [who] }] },
    }),
  ),
  fc.tuple(flagKey, segmentKey).map(
    ([key, used]): Step =>
      async ({ target }) =>
        target(key, [used]),
  ),
  fc.tuple(flagKey, flagKey).map(
    ([key, other]): Step =>
      async ({ require }) =>
        require(key, [other]),
  ),
  fc.tuple(segmentKey, user).map(([key, who]) =>
    segmentStep({
      type: 'ReplaceSegmentKeys',
      data: { projectId: PROJECT_ID, segmentKey: key, included: [who], excluded: [] },
    }),
  ),
  flagKey.map(
    (key): Step =>
      async ({ archiveFlag }) =>
        archiveFlag(key),
  ),
  flagKey.map(
    (key): Step =>
      async ({ deleteFlag }) =>
        deleteFlag(key),
  ),
  segmentKey.map(
    (key): Step =>
      async ({ deleteSegment }) =>
        deleteSegment(key),
  ),
);

const statesOf = async ({ side, store }: Readonly<{ side: TestProcess['side']; store: Store }>) => {
  await side.activeProject(PROJECT_ID);
  const flags = await Promise.all(
    FLAGS.map(async (key) => {
      const { events, revision } = await store.read<FlagEvent>(flagStream(PROJECT_ID, key));
      return { state: events.reduce<Flag>(evolveFlag, absentFlag), revision };
    }),
  );
  const segments = await Promise.all(
    SEGMENTS.map(async (key) => {
      const { events, revision } = await store.read<SegmentEvent>(segmentStream(PROJECT_ID, key));
      return { state: events.reduce<Segment>(evolveSegment, absentSegment), revision };
    }),
  );
  const isThere = ({ state }: { state: { status: string } }): boolean => state.status !== 'absent';
  return { flags: flags.filter(isThere), segments: segments.filter(isThere) } as ProjectStates;
};

type Store = ReturnType<typeof inMemoryEventStore>;

/** The value of every flag for every user, in an environment. */
const answers = ({ flags, segments }: ProjectStates, where = ENVIRONMENT): string => {
  const rulesets = flags.flatMap(({ state, revision }) => {
    const ruleset = rulesetOf(state, where, { revision, position: 0 });
    return ruleset === undefined ? [] : [ruleset];
  });
  const live = segments.filter(({ state }) => state.status === 'active');
  const world = anEnvironment(
    rulesets,
    live.map(({ state }) => aSegment(state.key, state)),
  );
  const contexts = [...USERS.map((name) => aContext(name)), aContext()];
  return JSON.stringify(
    FLAGS.map((key) =>
      contexts.map((context) => {
        const flag = world.flags.get(key);
        const { variant, value } =
          flag === undefined ? {} : evaluate(flag, context, world).resolution;
        return [variant, value];
      }),
    ),
  );
};

const reverting = (process: TestProcess) => {
  const run = revertEnvironment({ flags: process.side.flags, segments: process.side.segments });
  return (states: { then: ProjectStates; now: ProjectStates }, more: { dryRun?: boolean } = {}) =>
    run({
      projectId: PROJECT_ID,
      environment: ENVIRONMENT,
      shared: 'restore',
      metadata: metadata('the-revert'),
      grants: OWNER_GRANTS,
      dryRun: false,
      signal: AbortSignal.timeout(60_000),
      ...states,
      ...more,
    });
};

test('after a revert every evaluation is what it was at that moment', async (t) => {
  const steps = fc.array(anyStep, { minLength: 4, maxLength: 25 });
  let reverts = 0;
  const prepared = async () => {
    const store = inMemoryEventStore();
    const process = processOn(store);
    await process.createProject();
    for (const key of FLAGS.slice(0, 3)) await process.createFlag(key);
    for (const key of SEGMENTS) await process.createSegment(key);
    const states = () => statesOf({ side: process.side, store });
    const take = async (some: readonly Step[]) => {
      for (const step of some) await outcomeOf(step(process));
      return states();
    };
    return { states, take, revert: reverting(process) };
  };
  const same = (one: unknown, other: unknown, what: string): void => {
    const [left, right] = [JSON.stringify(one), JSON.stringify(other)];
    if (left !== right) throw new Error(`${what}: ${left} is not ${right}`);
  };
  const holds = async (before: readonly Step[], since: readonly Step[]): Promise<void> => {
    const { states, take, revert } = await prepared();
    const then = await take(before);
    const now = await take(since);
    await revert({ then, now }, { dryRun: true });
    same(await states(), now, 'after a dry run');
    const { flags, segments } = await revert({ then, now });
    same(
      [...flags, ...segments].filter(({ result }) => result === 'refused'),
      [],
      'refusals',
    );
    same(answers(await states()), answers(then), 'after the revert');
    if (answers(now) !== answers(then)) reverts += 1;
  };
  await fc.assert(fc.asyncProperty(steps, steps, holds), { seed: 20_261_126, numRuns: 150 });
  t.ok(reverts > 50, `${reverts} of 150 had something to take back`);
});

test('a flag that comes back stays off in the other environments', async (t) => {
  const store = inMemoryEventStore();
  const process = processOn(store);
  await process.createProject();
  await process.createFlag('a');
  for (const where of [ENVIRONMENT, 'staging'])
    await process.flag({ type: 'EnableFlag', data: onFlag('a', where) });
  const then = await statesOf({ side: process.side, store });
  await process.archiveFlag('a');
  const now = await statesOf({ side: process.side, store });
  await reverting(process)({ then, now });
  const after = await statesOf({ side: process.side, store });
  t.equal(answers(after), answers(then));
  t.equal(answers(after, 'staging'), answers(now, 'staging'));
});
