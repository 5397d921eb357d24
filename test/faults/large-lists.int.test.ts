import { test } from 'tap';
import { longHistories, longSegment, manyTargets } from '../support/large-lists.js';
import { testService } from '../support/service.js';
import { byLength } from './support/scenario.js';

test('lists as long as they may be, and the histories that once stopped the write side', async (t) => {
  const service = await testService(t);
  await t.test('a segment of 100 000 keys', (t) =>
    longSegment(t, service, byLength(20_000, 100_000)),
  );
  await t.test('10 000 targets', (t) => manyTargets(t, service, 10_000));
  await t.test('histories that a process does not know', (t) =>
    longHistories(
      t,
      service,
      byLength({ keys: 2_000, edits: 5, versions: 5 }, { keys: 2_000, edits: 600, versions: 200 }),
    ),
  );
});
