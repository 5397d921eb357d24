import { test, type Test } from 'tap';
import {
  type EventStore,
  EventStoreUnavailable,
} from '../../../src/commands/streams/event-store.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { dependenciesStream, flagStream, segmentStream } from '../../../src/domain/streams.js';
import { PROJECT_ID } from '../../support/flags.js';
import { inMemoryEventStore } from '../../support/in-memory-event-store.js';
import { outcomeOf, processOn, refusalText } from '../../support/write-sides.js';

const DEPENDENCIES = dependenciesStream(PROJECT_ID);

const started = async (flags: readonly string[], segments: readonly string[] = []) => {
  const store = inMemoryEventStore();
  const one = processOn(store);
  await one.createProject();
  for (const key of flags) await one.createFlag(key);
  for (const key of segments) await one.createSegment(key);
  return { store, one };
};

const reserved = async (store: EventStore): Promise<number> =>
  (await store.read(DEPENDENCIES)).events.length;

test('a prerequisite is on a flag and a variant that are there', async (t) => {
  const { one } = await started(['a', 'b', 'c']);
  await one.archiveFlag('c');
  t.equal(await outcomeOf(one.require('a', ['b'])), 'recorded');
  t.equal(await outcomeOf(one.require('a', ['missing'])), 'unknown-flag');
  t.equal(await outcomeOf(one.require('a', ['c'])), 'unknown-flag');
  const data = {
    projectId: PROJECT_ID,
    flagKey: 'a',
    environment: 'production',
    prerequisites: [{ flagKey: 'b', variants: ['maybe'] }],
  };
  t.equal(await outcomeOf(one.flag({ type: 'ChangePrerequisites', data })), 'unknown-variant');
});

test('a rule is on segments that are there', async (t) => {
  const { one } = await started(['a'], ['s', 'gone']);
  await one.deleteSegment('gone');
  t.equal(await outcomeOf(one.target('a', ['s'])), 'recorded');
  t.equal(await outcomeOf(one.target('a', ['s', 'gone'])), 'unknown-segment');
  t.equal(await outcomeOf(one.nest('s', ['missing'])), 'unknown-segment');
});

test('prerequisites make no circle in one environment', async (t) => {
  const { one } = await started(['a', 'b', 'c']);
  await one.require('a', ['b']);
  await one.require('b', ['c']);
  t.equal(await outcomeOf(one.require('a', ['a'])), 'reference-cycle');
  t.match(
    await refusalText(one.require('c', ['a'])),
    /flag 'c' → flag 'a' → flag 'b' → flag 'c'/,
    'the refusal shows it',
  );
  t.equal(await outcomeOf(one.require('c', ['a'], { in: 'staging' })), 'recorded');
});

test('segments make no circle', async (t) => {
  const { one } = await started([], ['a', 'b', 'c']);
  await one.nest('a', ['b']);
  await one.nest('b', ['c']);
  t.equal(await outcomeOf(one.nest('c', ['a'])), 'reference-cycle');
  t.equal(await outcomeOf(one.nest('b', [])), 'recorded');
  t.equal(await outcomeOf(one.nest('c', ['a'])), 'recorded', 'once a step is gone it is possible');
});

test('a chain has at most 10 steps, whichever end grows', async (t) => {
  const keys = Array.from({ length: 13 }, (_, n) => `s${n}`);
  const { one } = await started([], keys);
  for (let n = 0; n < 10; n += 1) await one.nest(`s${n}`, [`s${n + 1}`]);
  t.equal(await outcomeOf(one.nest('s10', ['s11'])), 'references-too-deep', 'at its end');
  t.equal(await outcomeOf(one.nest('s12', ['s0'])), 'references-too-deep', 'at its beginning');
  await one.nest('s5', []);
  await one.nest('s12', ['s0']);
  t.equal(await outcomeOf(one.nest('s5', ['s6'])), 'references-too-deep', 'in its middle');
  t.equal(await outcomeOf(one.nest('s5', ['s7'])), 'recorded');
});

test('a segment that is used is not deleted, and the refusal names who uses it', async (t) => {
  const { one } = await started(['a'], ['s', 'outer']);
  await one.target('a', ['s']);
  await one.nest('outer', ['s']);
  t.match(
    await refusalText(one.deleteSegment('s')),
    /used by flag 'a' \(production\), segment 'outer'/,
  );
  await one.target('a', []);
  t.equal(await outcomeOf(one.deleteSegment('s')), 'segment-in-use');
  await one.nest('outer', []);
  t.equal(await outcomeOf(one.deleteSegment('s', { dryRun: true })), 'dry-run');
  t.equal(await outcomeOf(one.deleteSegment('s')), 'recorded');
});

test('a prerequisite is neither archived nor deleted, and keeps the variant', async (t) => {
  const { one } = await started(['a', 'b']);
  await one.require('a', ['b']);
  t.equal(await outcomeOf(one.archiveFlag('b')), 'flag-in-use');
  t.equal(await outcomeOf(one.deleteFlag('b')), 'flag-in-use');
  const variants = [
    { name: 'yes', value: true },
    { name: 'off', value: false },
  ];
  const place = { projectId: PROJECT_ID, flagKey: 'b' };
  const fallthrough = { variant: 'off' };
  for (const environment of ['production', 'staging'])
    await one.flag({ type: 'ChangeRollout', data: { ...place, environment, fallthrough } });
  const change = { type: 'ChangeVariants', data: { ...place, variants } } as const;
  t.equal(await outcomeOf(one.flag(change)), 'variant-in-use');
  await one.archiveFlag('a');
  t.equal(await outcomeOf(one.deleteFlag('b')), 'recorded', 'an archived flag needs nothing');
  const unarchive = { type: 'UnarchiveFlag', data: { ...place, flagKey: 'a' } } as const;
  t.equal(await outcomeOf(one.flag(unarchive)), 'unknown-flag', 'until it is active again');
  t.match(
    await refusalText(one.flag(unarchive)),
    /First restore flag 'b', which is deleted\.$/,
    'it says what to do',
  );
});

test('a flag comes back only with what it refers to', async (t) => {
  const { one } = await started(['a'], ['s']);
  await one.target('a', ['s']);
  await one.deleteFlag('a');
  await one.deleteSegment('s');
  const place = { projectId: PROJECT_ID, flagKey: 'a' };
  const snapshot = await one.side.snapshotOf(PROJECT_ID, 'a', {});
  const restore = { type: 'RestoreFlag', data: { ...place, snapshot } } as const;
  t.equal(await outcomeOf(one.flag(restore)), 'unknown-segment');
  t.match(await refusalText(one.flag(restore)), /First restore segment 's', which is deleted\.$/);
  const first = await one.side.snapshotOf(PROJECT_ID, 'a', { revision: 0 });
  t.equal(
    await outcomeOf(one.flag({ type: 'RestoreFlag', data: { ...place, snapshot: first } })),
    'recorded',
  );
});

test('promoting and copying carry references, and are checked', async (t) => {
  const { one } = await started(['a', 'b']);
  await one.require('a', ['b']);
  await one.require('b', ['a'], { in: 'staging' });
  const promote = {
    type: 'PromoteFlag',
    data: { projectId: PROJECT_ID, flagKey: 'a', from: 'production', to: 'staging' },
  } as const;
  t.equal(await outcomeOf(one.flag(promote)), 'reference-cycle');
  const { flag, revision } = await one.side.snapshotOf(PROJECT_ID, 'a', {});
  const source = { content: flag, revision };
  const copy = (projectId: string) =>
    one.flag({ type: 'CopyFlag', data: { projectId, flagKey: 'copy', source } });
  t.equal(await outcomeOf(copy(PROJECT_ID)), 'recorded');
});

test('commands that add no reference reserve nothing', async (t) => {
  const { store, one } = await started(['a', 'b'], ['s']);
  await one.require('a', ['b']);
  await one.target('a', ['s']);
  const before = await reserved(store);
  const place = { projectId: PROJECT_ID, flagKey: 'a', environment: 'production' };
  await one.flag({ type: 'EnableFlag', data: place });
  await one.target('a', []);
  await one.require('a', []);
  await one.require('a', ['b'], { dryRun: true });
  t.equal(await outcomeOf(one.require('a', ['missing'])), 'unknown-flag');
  t.equal(await reserved(store), before);
});

/** A store whose appends to one stream fail as if the process had died just before. */
const dyingBefore = (store: EventStore, stream: string): EventStore => ({
  ...store,
  append: async (to, events, options) => {
    if (to === stream) throw new EventStoreUnavailable('gone');
    return store.append(to, events, options);
  },
});

const diesWhile = async (
  t: Test,
  store: EventStore,
  stream: string,
  act: (one: ReturnType<typeof processOn>) => Promise<unknown>,
): Promise<void> => {
  await t.rejects(act(processOn(dyingBefore(store, stream))), { name: 'EventStoreUnavailable' });
};

test('what a process that died had begun counts until it is repeated or overtaken', async (t) => {
  const { store, one } = await started(['a', 'b'], ['s']);
  await diesWhile(t, store, flagStream(PROJECT_ID, 'a'), (dying) => dying.require('a', ['b']));
  t.equal(await outcomeOf(one.require('b', ['a'])), 'reference-cycle');
  t.match(
    await refusalText(one.deleteFlag('b')),
    /flag 'a' \(production\) by an unfinished change/,
  );
  t.equal(await outcomeOf(one.require('a', ['b'])), 'recorded', 'it can be repeated');

  await diesWhile(t, store, segmentStream(PROJECT_ID, 's'), (dying) => dying.deleteSegment('s'));
  t.match(await refusalText(one.target('b', ['s'])), /is not finished/);
  await one.nest('s', []);
  const rename = { projectId: PROJECT_ID, segmentKey: 's', name: 'S' };
  await one.segment({ type: 'ChangeSegmentDetails', data: rename });
  t.equal(await outcomeOf(one.target('b', ['s'])), 'recorded', 'any other change ends it');
});

test('a repeated command finds what it wrote, and reserves nothing again', async (t) => {
  const { store, one } = await started(['a', 'b']);
  await one.require('a', ['b'], { commandId: 'same' });
  const before = await reserved(store);
  t.equal(await outcomeOf(one.require('a', ['b'], { commandId: 'same' })), 'repeated');
  t.equal(await reserved(store), before);
  const { events } = await store.read<FlagEvent>(flagStream(PROJECT_ID, 'a'));
  t.equal(events.filter(({ type }) => type === 'FlagPrerequisitesChanged').length, 1);
});

test('what was read of a long list of reservations is kept when reading fails', async (t) => {
  const store = inMemoryEventStore(1);
  const before = processOn(store);
  await before.createProject();
  for (const key of ['a', 'b', 'c']) await before.createFlag(key);
  await before.require('b', ['a']);
  await before.require('c', ['a']);
  let isAway = true;
  const asked: number[] = [];
  const failing: EventStore = {
    ...store,
    readPage: async (stream, from) => {
      if (stream !== DEPENDENCIES) return store.readPage(stream, from);
      asked.push(from);
      if (isAway && from === 1) throw new EventStoreUnavailable('away');
      return store.readPage(stream, from);
    },
  };
  const cold = processOn(failing);
  await t.rejects(cold.archiveFlag('a'), EventStoreUnavailable);
  isAway = false;
  t.equal(await outcomeOf(cold.archiveFlag('a')), 'flag-in-use');
  t.strictSame(asked.slice(0, 4), [0, 1, 1, 2], 'it goes on where it stopped');
});
