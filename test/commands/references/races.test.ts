import { test } from 'tap';
import { type EventStore } from '../../../src/commands/streams/event-store.js';
import { inMemoryEventStore } from '../../support/in-memory-event-store.js';
import { outcomeOf, processOn, type TestProcess } from '../../support/write-sides.js';

const ROUNDS = 150;
const SEED = 20_261_121;

/** Numbers from 0 to 1 that are the same on every run (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** The store with a few turns of the event loop before and after each call, so that processes overtake each other. */
const jittery = (store: EventStore, random: () => number): EventStore => {
  const turns = async (): Promise<void> => {
    for (let left = Math.floor(random() * 5); left > 0; left -= 1)
      await new Promise((resolve) => setImmediate(resolve));
  };
  const slowly = async <T>(call: () => Promise<T>): Promise<T> => {
    await turns();
    const result = await call();
    await turns();
    return result;
  };
  return {
    read: (stream, from) => slowly(() => store.read(stream, from)),
    readPage: (stream, from) => slowly(() => store.readPage(stream, from)),
    append: (stream, events, options) => slowly(() => store.append(stream, events, options)),
  };
};

type Race = (
  one: TestProcess,
  other: TestProcess,
) => readonly Promise<Readonly<{ kind: string }>>[];

/** Outcomes of two processes that both do their part at the same time, each in a fresh project. */
const raced = async (
  prepare: (one: TestProcess) => Promise<unknown>,
  race: Race,
): Promise<readonly string[]> => {
  const random = randomFrom(SEED);
  const outcomes: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const store = inMemoryEventStore();
    const calm = processOn(store);
    await calm.createProject();
    await prepare(calm);
    const processes = [
      processOn(jittery(store, random)),
      processOn(jittery(store, random)),
    ] as const;
    const ended = await Promise.all(race(...processes).map(outcomeOf));
    outcomes.push(ended.toSorted().join(' + '));
  }
  return outcomes;
};

const allowed = (outcomes: readonly string[], ...wanted: readonly string[]) => ({
  others: outcomes.filter((outcome) => !wanted.includes(outcome)),
  seen: wanted.filter((outcome) => outcomes.includes(outcome)),
});

test('of two prerequisites that would make a circle one is refused', async (t) => {
  const outcomes = await raced(
    async (one) => {
      await one.createFlag('a');
      await one.createFlag('b');
    },
    (one, other) => [one.require('a', ['b']), other.require('b', ['a'])],
  );
  t.strictSame(allowed(outcomes, 'recorded + reference-cycle').others, []);
});

test('of three segments that would make a circle one is refused', async (t) => {
  const outcomes = await raced(
    async (one) => {
      for (const key of ['a', 'b', 'c']) await one.createSegment(key);
    },
    (one, other) => [one.nest('a', ['b']), other.nest('b', ['c']), one.nest('c', ['a'])],
  );
  t.strictSame(allowed(outcomes, 'recorded + recorded + reference-cycle').others, []);
});

test('two halves of a chain that is too long do not both come about', async (t) => {
  const outcomes = await raced(
    async (one) => {
      for (let n = 0; n < 13; n += 1) await one.createSegment(`s${n}`);
      for (let n = 0; n < 10; n += 1) if (n !== 5) await one.nest(`s${n}`, [`s${n + 1}`]);
    },
    (one, other) => [one.nest('s5', ['s6']), other.nest('s10', ['s11'])],
  );
  t.strictSame(allowed(outcomes, 'recorded + references-too-deep').others, []);
});

test('a segment is deleted or used, never both', async (t) => {
  const outcomes = await raced(
    async (one) => {
      await one.createFlag('a');
      await one.createSegment('s');
    },
    (one, other) => [one.deleteSegment('s'), other.target('a', ['s'])],
  );
  const { others, seen } = allowed(
    outcomes,
    'recorded + segment-in-use',
    'recorded + unknown-segment',
  );
  t.strictSame(others, []);
  t.equal(seen.length, 2, 'each of them was first some time');
});

test('a flag is archived or a prerequisite, never both', async (t) => {
  const outcomes = await raced(
    async (one) => {
      await one.createFlag('a');
      await one.createFlag('b');
    },
    (one, other) => [one.archiveFlag('b'), other.require('a', ['b'])],
  );
  const { others } = allowed(outcomes, 'flag-in-use + recorded', 'recorded + unknown-flag');
  t.strictSame(others, []);
});

test('references that have nothing to do with each other are all recorded', async (t) => {
  const keys = Array.from({ length: 12 }, (_, n) => `f${n}`);
  const outcomes = await raced(
    async (one) => {
      await one.createSegment('s');
      for (const key of keys) await one.createFlag(key);
    },
    (one, other) => keys.map((key, n) => (n % 2 === 0 ? one : other).target(key, ['s'])),
  );
  t.strictSame(
    outcomes.filter((outcome) => outcome !== keys.map(() => 'recorded').join(' + ')),
    [],
  );
});
