import { type Test } from 'tap';
import {
  eventId,
  type EventStore,
  NO_STREAM,
  WrongRevision,
} from '../../src/commands/streams/event-store.js';
import { type Event } from '../../src/domain/decider.js';
import { metadata } from '../support/metadata.js';

type Happened = Event<'Happened', { what: string }>;

const events = (stream: string, commandId: string, ...whats: string[]) =>
  whats.map((what, index) => ({
    type: 'Happened' as const,
    data: { what },
    id: eventId(stream, commandId, index),
  }));

/** What every implementation of the EventStore port does. `streamOf` makes names that nothing else uses. */
export const eventStoreContract = async (
  t: Test,
  store: EventStore,
  streamOf: (name: string) => string,
): Promise<void> => {
  const append = (
    stream: string,
    commandId: string,
    expectedRevision: number,
    ...whats: string[]
  ) =>
    store.append(stream, events(stream, commandId, ...whats), {
      expectedRevision,
      metadata: metadata(commandId),
    });

  await t.test('a stream that does not exist is empty', async (t) => {
    const slice = await store.read(streamOf('absent'));
    t.strictSame(slice, { events: [], revision: NO_STREAM });
  });

  await t.test('what is appended is read back, whole and in order', async (t) => {
    const stream = streamOf('whole');
    const { revision, position } = await append(stream, 'c1', NO_STREAM, 'a', 'b');
    const slice = await store.read<Happened>(stream);
    t.equal(revision, 1);
    t.equal(slice.revision, 1);
    t.strictSame(
      slice.events.map(({ data, revision, stream, type }) => ({ data, revision, stream, type })),
      ['a', 'b'].map((what, revision) => ({
        data: { what },
        revision,
        stream,
        type: 'Happened',
      })),
    );
    t.strictSame(slice.events[1]?.metadata, metadata('c1'));
    t.equal(slice.events[1]?.position, position);
    t.match(slice.events[0]?.recordedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  await t.test('a read can begin later, also behind the end', async (t) => {
    const stream = streamOf('later');
    await append(stream, 'c1', NO_STREAM, 'a', 'b', 'c');
    const slice = await store.read<Happened>(stream, 2);
    t.strictSame(
      slice.events.map(({ data }) => data.what),
      ['c'],
    );
    t.strictSame(await store.read(stream, 3), { events: [], revision: 2 });
  });

  await t.test('another revision than the expected one is refused, and told', async (t) => {
    const stream = streamOf('conflict');
    await t.rejects(append(stream, 'c1', 4, 'x'), new WrongRevision(4, NO_STREAM));
    await append(stream, 'c2', NO_STREAM, 'a');
    await append(stream, 'c3', 0, 'b');
    await t.rejects(append(stream, 'c4', 0, 'x'), new WrongRevision(0, 1));
    await t.rejects(append(stream, 'c5', NO_STREAM, 'x'), new WrongRevision(NO_STREAM, 1));
    t.equal((await store.read(stream)).revision, 1);
  });

  await t.test(
    'a repeat of the same events is confirmed and writes nothing, also later',
    async (t) => {
      const stream = streamOf('repeat');
      const first = await append(stream, 'c1', NO_STREAM, 'a', 'b');
      await append(stream, 'c2', 1, 'c');
      const again = await append(stream, 'c1', NO_STREAM, 'a', 'b');
      t.strictSame([again.revision, again.position], [first.revision, first.position]);
      t.equal((await store.read(stream)).revision, 2);
    },
  );

  await t.test('positions rise along the log, over all streams', async (t) => {
    const one = await append(streamOf('rise-1'), 'c1', NO_STREAM, 'a', 'b');
    const two = await append(streamOf('rise-2'), 'c2', NO_STREAM, 'a');
    const three = await append(streamOf('rise-1'), 'c3', 1, 'c');
    t.ok(one.position < two.position && two.position < three.position);
  });

  await t.test('of appends that race for one revision exactly one wins', async (t) => {
    const stream = streamOf('race');
    const racers = Array.from({ length: 8 }, (_, index) =>
      append(stream, `c${index}`, NO_STREAM, 'x'),
    );
    const outcomes = await Promise.allSettled(racers);
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    t.equal((await store.read(stream)).revision, 0);
  });
};
