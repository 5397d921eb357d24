import { test } from 'tap';
import { type LogBatch, type LogEvent } from '../../src/projections/event-log.js';
import { wholeAppends } from '../../src/projections/run-projection.js';
import { flagContent, onFlag, projectBegins, recorded } from '../support/histories.js';
import { memoryEventLog } from '../support/memory-event-log.js';

const isContinued = true as const;

/** A project with its environments in one append, a flag in another, then one of two events. */
const log = recorded([
  ...projectBegins.map((entry, nth) => (nth < 2 ? { ...entry, metadata: { isContinued } } : entry)),
  onFlag('alpha', { type: 'FlagCreated', data: flagContent('alpha') }),
  onFlag(
    'alpha',
    { type: 'FlagEnabled', data: { environment: 'production' } },
    { metadata: { isContinued } },
  ),
  onFlag('alpha', { type: 'FlagArchived', data: {} }),
]);

const cut = async (events: readonly LogEvent[], batchSize: number) => {
  const batches: LogBatch[] = [];
  const read = memoryEventLog(events, { batchSize }).readForward(
    null,
    new AbortController().signal,
  );
  for await (const batch of wholeAppends(read)) batches.push(batch);
  return batches;
};

test('a batch ends where an append ends, wherever the log was cut', async (t) => {
  const ends = [2, 3, 5].map((nth) => log[nth]!.position);
  for (const size of [1, 2, 3, 4, 5, 6, 7]) {
    const batches = await cut(log, size);
    t.strictSame(
      batches.flatMap(({ events }) => events),
      log,
      'nothing is lost or moved',
    );
    for (const { events, position } of batches) {
      t.equal(position, events.at(-1)?.position);
      t.ok(ends.includes(position), `cut after ${size}`);
    }
  }
});

test('batches without events, and events of before there were marks, go through as they are', async (t) => {
  const old = recorded(projectBegins);
  t.equal((await cut(old, 1)).length, old.length);
  const empty: LogBatch = { events: [], position: 900, isCaughtUp: true };
  const batches: LogBatch[] = [];
  for await (const batch of wholeAppends(
    (async function* () {
      yield empty;
    })(),
  ))
    batches.push(batch);
  t.strictSame(batches, [empty]);
});

test('what waits for an end that never came goes on with the next event of another stream', async (t) => {
  const broken = log.filter((_, nth) => nth !== 2);
  const batches = await cut(broken, 1);
  t.strictSame(
    batches.flatMap(({ events }) => events),
    broken,
  );
});
