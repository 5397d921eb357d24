import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { test } from 'tap';
import { aggregates } from '../../src/commands/streams/aggregates.js';
import { commandIds } from '../../src/commands/streams/command-ids.js';
import { type EventStore } from '../../src/commands/streams/event-store.js';
import {
  FOLD_VERSION,
  type Snapshots,
  type StreamSnapshot,
} from '../../src/commands/streams/snapshots.js';
import { snapshotOf } from '../../src/commands/streams/take-snapshots.js';
import { CATALOGUE } from '../../src/domain/catalogue.js';
import { type Event } from '../../src/domain/decider.js';
import { absentFlag, evolveFlag, type Flag } from '../../src/domain/flag/flag.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { canonicalJson, type Json } from '../../src/domain/json.js';
import { absentProject, evolveProject } from '../../src/domain/project.js';
import { evolveRefusals, noRefusals } from '../../src/domain/refusals.js';
import { absentSegment, evolveSegment } from '../../src/domain/segment.js';
import { evolveSessions, noSessions } from '../../src/domain/session.js';
import { flagStream, segmentStream } from '../../src/domain/streams.js';
import { content, created, ENVIRONMENT, FLAG, PROJECT_ID } from '../support/flags.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { metadata } from '../support/metadata.js';
import { memorySnapshots } from '../support/snapshots.js';
import { processOn, type TestProcess } from '../support/write-sides.js';

const STREAM = flagStream(PROJECT_ID, FLAG);
const flagFold = { initialState: absentFlag, evolve: evolveFlag };
const segmentFold = { initialState: absentSegment, evolve: evolveSegment };
const pause = async (): Promise<void> => undefined;

const onFlag = { projectId: PROJECT_ID, flagKey: 'a' };
const inFlag = { ...onFlag, environment: ENVIRONMENT };
const onSegment = { projectId: PROJECT_ID, segmentKey: 'b' };
const named = (n: number): readonly string[] => [`u${n}`, `u${n + 1}`];

type Try = (process: TestProcess, commandId: string, n: number) => Promise<unknown>;

/** Commands of which many are refused, or change nothing, depending on all that came before. */
const TRIES: readonly Try[] = [
  (on, commandId) => on.flag({ type: 'EnableFlag', data: inFlag }, { commandId }),
  (on, commandId) => on.flag({ type: 'DisableFlag', data: inFlag }, { commandId }),
  (on, commandId, n) => {
    const data = { ...inFlag, variant: n % 2 === 0 ? 'on' : 'off', keys: named(n) };
    return on.flag({ type: 'AddTargets', data }, { commandId });
  },
  (on, commandId, n) =>
    on.flag({ type: 'RemoveTargets', data: { ...inFlag, keys: named(n) } }, { commandId }),
  (on, commandId) => on.archiveFlag('a', { commandId }),
  (on, commandId) => on.flag({ type: 'UnarchiveFlag', data: onFlag }, { commandId }),
  (on, commandId, n) => {
    const data = { ...onSegment, included: named(n), excluded: [`x${n}`] };
    return on.segment({ type: 'AddSegmentKeys', data }, { commandId });
  },
  (on, commandId, n) => {
    const data = { ...onSegment, keys: named(n) };
    return on.segment({ type: 'RemoveSegmentKeys', data }, { commandId });
  },
  (on, commandId) => on.deleteSegment('b', { commandId }),
];

const told = async (trying: Promise<unknown>): Promise<unknown> => {
  const outcome = await trying.catch((error: unknown) => String(error));
  return typeof outcome === 'object' ? JSON.stringify(outcome) : outcome;
};

const steps = fc.array(
  fc.record({
    kind: fc.nat(TRIES.length - 1),
    n: fc.nat(4),
    // Few, so that commands are repeated, and others come with a key that was used.
    commandId: fc.nat(30).map((nth) => `command-${nth}`),
    takes: fc.boolean(),
  }),
  { minLength: 5, maxLength: 60 },
);

test('commands are decided the same with and without snapshots', async (t) => {
  let used = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const [store, plain] = [inMemoryEventStore(2), inMemoryEventStore(2)];
      const { table } = memorySnapshots();
      const take = {
        flag: snapshotOf({ store, table, pause }, flagFold),
        segment: snapshotOf({ store, table, pause }, segmentFold),
      };
      const snapshots: Snapshots = {
        load: async <S>(stream: string) => {
          const found = await table.load<S>(stream);
          used += found === undefined ? 0 : 1;
          return found;
        },
        take: () => undefined,
      };
      const warm = processOn(plain);
      for (const on of [warm, processOn(store)]) {
        await on.createProject();
        await on.createFlag('a');
        await on.createSegment('b');
      }
      const differing: unknown[] = [];
      for (const { kind, n, commandId, takes } of taken) {
        const attempt = TRIES[kind];
        if (attempt === undefined) continue;
        const cold = await told(attempt(processOn(store, snapshots), commandId, n));
        const expected = await told(attempt(warm, commandId, n));
        if (cold !== expected) differing.push([cold, expected]);
        if (!takes) continue;
        await take.flag(flagStream(PROJECT_ID, 'a'));
        await take.segment(segmentStream(PROJECT_ID, 'b'));
      }
      if (differing.length > 0) throw new Error(JSON.stringify(differing[0]));
    }),
    { seed: 20_261_127, numRuns: 60 },
  );
  t.ok(used > 200, `${used} were used`);
});

/** A flag with ten events in pages of two, and its snapshot at the sixth. */
const longFlag = async () => {
  const store = inMemoryEventStore(2);
  const { kept, table } = memorySnapshots();
  const add = (nth: number) => {
    const type = nth % 2 === 0 ? 'FlagDisabled' : 'FlagEnabled';
    const event: FlagEvent = nth === 0 ? created : { type, data: { environment: ENVIRONMENT } };
    return store.append(STREAM, [{ ...event, id: `event-${nth}` }], {
      expectedRevision: nth - 1,
      metadata: metadata(`command-${nth}`),
    });
  };
  for (let nth = 0; nth < 6; nth += 1) await add(nth);
  await snapshotOf({ store, table, pause }, flagFold)(STREAM);
  for (let nth = 6; nth < 10; nth += 1) await add(nth);
  const asked: number[] = [];
  const watched: EventStore = {
    ...store,
    readPage: (stream, from) => {
      asked.push(from);
      return store.readPage(stream, from);
    },
  };
  const snapshot = kept.get(STREAM) as StreamSnapshot<Flag>;
  const loadWith = (found: StreamSnapshot<unknown>) => {
    const load = async <S>() => found as StreamSnapshot<S>;
    return aggregates(watched, flagFold, () => 0, { load, take: () => undefined }).load(STREAM);
  };
  return {
    watched,
    asked,
    snapshot,
    loadWith,
    process: () => processOn(watched, { ...table, take: () => undefined }),
  };
};

test('a long stream that is not in memory is read from its snapshot on', async (t) => {
  const { asked, snapshot, loadWith } = await longFlag();
  const { state, revision, head, eventId, commands } = await loadWith(snapshot);
  t.strictSame(asked, [0, 5, 7, 9]);
  t.strictSame([revision, head, eventId], [9, 9, 'event-9']);
  t.match(state, { status: 'active', environments: { production: { enabled: true } } });
  t.strictSame(['command-0', 'command-9', 'command-10'].map(commands.has), [true, true, false]);
});

test('a snapshot that does not fit the log or this version is not used', async (t) => {
  const { snapshot, loadWith } = await longFlag();
  const forged = { ...snapshot, state: { ...content, status: 'archived' } as const };
  t.match((await loadWith(forged)).state, { status: 'archived' }, 'it would show');
  const misfits: Readonly<Record<string, StreamSnapshot<unknown>>> = {
    'another fold': { ...forged, foldVersion: FOLD_VERSION + 1 },
    'another event': { ...forged, eventId: 'event-4' },
    'another revision': { ...forged, revision: 4 },
    'a revision that is not there': { ...forged, revision: 10 },
    'another position': { ...forged, position: Number(snapshot.position) + 1 },
    'an event that was skipped then': { ...forged, skipped: 1 },
  };
  for (const [what, misfit] of Object.entries(misfits)) {
    const { state, revision } = await loadWith(misfit);
    t.match([state, revision], [{ status: 'active' }, 9], what);
  }
});

test('a command is known that came before the snapshot, or after it', async (t) => {
  const { process, asked } = await longFlag();
  for (const [nth, from] of [
    [3, [0, 5, 2, 4]],
    [8, [0, 5, 7, 9]],
  ] as const) {
    const { side } = process();
    const type = nth % 2 === 0 ? 'DisableFlag' : 'EnableFlag';
    const data = { projectId: PROJECT_ID, flagKey: FLAG, environment: ENVIRONMENT };
    const own = metadata(`command-${nth}`);
    const signal = AbortSignal.timeout(60_000);
    const request = { command: { type, data } as const, metadata: own, signal };
    const grants = { organization: 'owner', projects: {} } as never;
    asked.length = 0;
    const { kind, revision } = await side.flags({ ...request, grants });
    t.strictSame([kind, revision], ['repeated', nth]);
    t.strictSame(asked.slice(-from.length), from);
  }
});

test('a snapshot is asked for when enough has come, in events or in bytes', async (t) => {
  const loadOf = async (events: number, size: number): Promise<number> => {
    const store = inMemoryEventStore();
    for (let nth = 0; nth < events; nth += 1) {
      const description = 'd'.repeat(size);
      const data = { name: `${nth}`, description, tags: [] };
      await store.append(STREAM, [{ type: 'FlagDetailsChanged', data, id: `event-${nth}` }], {
        expectedRevision: nth - 1,
        metadata: metadata(`command-${nth}`),
      });
    }
    let taken = 0;
    const take = (): void => {
      taken += 1;
    };
    const streams = aggregates(store, flagFold, () => 0, { ...memorySnapshots().table, take });
    await streams.load(STREAM);
    await streams.load(STREAM, 0);
    return taken;
  };
  t.equal(await loadOf(900, 0), 0);
  t.equal(await loadOf(1_000, 0), 1, 'and not again for the same');
  t.equal(await loadOf(10, 500_000), 1);
});

test('digests tell the commands of a snapshot from all others', (t) => {
  const ids = Array.from({ length: 2_000 }, (_, nth) => `command-${nth}`);
  const [even, odd] = [0, 1].map((rest) => ids.filter((_, nth) => nth % 2 === rest));
  const first = commandIds();
  even?.forEach(first.add);
  const packed = commandIds(first.pack());
  t.strictSame(ids.filter(packed.has), even);
  odd?.forEach(packed.add);
  t.strictSame(ids.filter(commandIds(packed.pack()).has), ids);
  t.notOk(commandIds().has('command-0'));
  t.end();
});

const FIXTURES = new URL('../fixtures/events/', import.meta.url);

const fixturesOf = (category: string): readonly Event[] =>
  readdirSync(FIXTURES)
    .toSorted()
    .map((file) => JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')) as Event)
    .filter(({ type }) => CATALOGUE[type as keyof typeof CATALOGUE] === category);

/** Every state that comes about when each event follows each other one. */
const digestOf = <S>(category: string, begun: S, evolve: (state: S, event: never) => S): string => {
  const events = fixturesOf(category);
  const [first] = events.filter(({ type }) => type.endsWith('Created'));
  const after = (state: S, event: Event | undefined): S =>
    event === undefined ? state : evolve(state, event as never);
  const states = events.flatMap((one) =>
    events.map((other) => after(after(after(begun, first), one), other)),
  );
  return createHash('sha256')
    .update(states.map((state) => canonicalJson(state as Json)).join('\n'))
    .digest('hex')
    .slice(0, 16);
};

// When one differs, FOLD_VERSION has to be raised with it: snapshots hold states of the fold before.
test('the folds of this version', (t) => {
  t.strictSame(
    {
      version: FOLD_VERSION,
      flag: digestOf('flag', absentFlag, evolveFlag),
      segment: digestOf('segment', absentSegment, evolveSegment),
      project: digestOf('project', absentProject, evolveProject),
      session: digestOf('session', noSessions, evolveSessions),
      refusals: digestOf('refusals', noRefusals, evolveRefusals),
    },
    {
      version: 1,
      flag: '64f349ab15b9ddb7',
      segment: '95323c1cb5e1062e',
      project: '15add6bddb77b565',
      session: 'edd98b97741c13bb',
      refusals: 'b4140e52c917a881',
    },
  );
  t.end();
});
