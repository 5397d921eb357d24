import { test } from 'tap';
import { aggregates } from '../../src/commands/streams/aggregates.js';
import { flagDecider } from '../../src/commands/flag/decider.js';
import { snapshotOf } from '../../src/commands/streams/take-snapshots.js';
import { withoutSkipped } from '../../src/commands/streams/without-skipped.js';
import { type Event } from '../../src/domain/decider.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { flagContent, metadataOf, skipping } from '../support/histories.js';
import { memorySnapshots } from '../support/snapshots.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';

const STREAM = 'flag-acme:shop:alpha';

test('what is read and remembered of a stream is without the events that are skipped', async (t) => {
  const inner = inMemoryEventStore(2);
  let revision = -1;
  const append = async (stream: string, event: Event, expectedRevision: number): Promise<void> => {
    const metadata = metadataOf(++revision);
    const id = `00000000-0000-4000-8000-00000000000${revision}`;
    await inner.append(stream, [{ ...event, id }], { expectedRevision, metadata });
  };
  await append(STREAM, { type: 'FlagCreated', data: flagContent('alpha') }, -1);
  await append(STREAM, { type: 'FlagArchived', data: {} }, 0);
  await append(STREAM, { type: 'FlagEnabled', data: { environment: 'production' } }, 1);

  let now = 0;
  const { store, onSkipped } = withoutSkipped(inner, () => now);
  const streams = aggregates(store, flagDecider({ compileRegex }), () => now);
  onSkipped(streams.forgetAll);
  t.match(await streams.load(STREAM), { state: { status: 'archived' }, revision: 2, head: 2 });

  const { stream, event } = skipping(STREAM, 1);
  await append(stream, event, -1);
  now += 1_001;
  await store.readPage('flag-acme:shop:beta', 0);
  const { state, ...place } = await streams.load(STREAM);
  t.match(state, { status: 'active', environments: { production: { enabled: true } } });
  t.match(place, { revision: 2, head: 2 });
  t.strictSame(
    (await store.read(STREAM)).events.map((one) => one.revision),
    [0, 2],
  );

  await append(stream, skipping(STREAM, 2).event, 0);
  now += 1_001;
  const last = await store.read(STREAM);
  t.strictSame([last.events.length, last.revision], [1, 2], 'the stream stands where it stood');
  t.match(await streams.load(STREAM), { revision: 0, head: 2 });
  const { table, kept } = memorySnapshots();
  const pause = async (): Promise<void> => undefined;
  await snapshotOf({ store, table, pause }, flagDecider({ compileRegex }))(STREAM);
  t.equal(kept.get(STREAM)?.skipped, 2, 'a snapshot says how many it leaves out');
});
