import { test } from 'tap';
import { aggregates } from '../../src/commands/streams/aggregates.js';
import { type EventStore, EventStoreUnavailable } from '../../src/commands/streams/event-store.js';
import { flagDecider } from '../support/deciders.js';
import { flagStream } from '../../src/domain/streams.js';
import { created, FLAG, PROJECT_ID } from '../support/flags.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { metadata } from '../support/metadata.js';

const stream = flagStream(PROJECT_ID, FLAG);
const MAX_AGE_MS = 100;

/** Streams on a store that counts its reads, at a time that the test sets. */
const counted = () => {
  const store = inMemoryEventStore();
  const seen = { reads: 0, nowMs: 0 };
  const counting: EventStore = {
    ...store,
    readPage: (...args) => {
      seen.reads += 1;
      return store.readPage(...args);
    },
  };
  return { seen, streams: aggregates(counting, flagDecider, () => seen.nowMs) };
};

test('who finds a stream stale at the same time shares one read', async (t) => {
  const { seen, streams } = counted();
  await Promise.all([1, 2, 3].map(() => streams.load(stream, MAX_AGE_MS)));
  t.equal(seen.reads, 1);
  seen.nowMs = MAX_AGE_MS;
  await Promise.all([1, 2, 3].map(() => streams.load(stream, MAX_AGE_MS)));
  t.equal(seen.reads, 2);
});

test('a read that began too long ago is not joined', async (t) => {
  const { seen, streams } = counted();
  const first = streams.load(stream, MAX_AGE_MS);
  seen.nowMs = MAX_AGE_MS;
  const second = streams.load(stream, MAX_AGE_MS);
  await Promise.all([first, second]);
  t.equal(seen.reads, 2);
});

test('who needs the latest joins no read that began before', async (t) => {
  const { seen, streams } = counted();
  await Promise.all([streams.load(stream, 0), streams.load(stream, 0)]);
  t.equal(seen.reads, 2);
});

test('a read that fails goes on where it stopped', async (t) => {
  const store = inMemoryEventStore(1);
  const add = (commandId: string, expectedRevision: number) =>
    store.append(stream, [{ ...created, id: commandId }], {
      expectedRevision,
      metadata: metadata(commandId),
    });
  for (const [index, commandId] of ['c1', 'c2', 'c3'].entries()) await add(commandId, index - 1);
  const asked: number[] = [];
  let isAway = true;
  const failing: EventStore = {
    ...store,
    readPage: async (name, from) => {
      asked.push(from);
      if (isAway && from === 2) throw new EventStoreUnavailable('away');
      return store.readPage(name, from);
    },
  };
  const streams = aggregates(failing, flagDecider, () => 0);
  await t.rejects(streams.load(stream), EventStoreUnavailable);
  isAway = false;
  const { revision, commands } = await streams.load(stream);
  t.strictSame(
    [revision, ['c1', 'c2', 'c3', 'c4'].map(commands.has)],
    [2, [true, true, true, false]],
  );
  t.strictSame(asked, [0, 1, 2, 2]);
});
