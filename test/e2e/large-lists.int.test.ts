import { test } from 'tap';
import { longHistories, longSegment, manyTargets } from '../support/large-lists.js';
import { testService } from '../support/service.js';

// test/faults/large-lists.int.test.ts has the documented maxima.
test('long lists and long histories', async (t) => {
  const service = await testService(t);
  await t.test('a segment of 20 000 keys', (t) => longSegment(t, service, 20_000));
  await t.test('10 000 targets', (t) => manyTargets(t, service, 10_000));
  await t.test('histories that a process does not know', (t) =>
    longHistories(t, service, { keys: 2_000, edits: 20, versions: 12 }),
  );
  await t.test('more than the maximum is refused, and why', async (t) => {
    const included = Array.from({ length: 100_001 }, (_, n) => `u${n}`);
    const many = await service.post('/projects/demo/segments', { body: { key: 'over', included } });
    t.match([many.status, many.text], [400, /100000/]);
    const large = Array.from({ length: 100_000 }, (_, n) => `${n}-${'k'.repeat(100)}`);
    const refused = await service.post('/projects/demo/segments', {
      body: { key: 'over', included: large },
    });
    t.match([refused.status, refused.text], [413, /8 MiB/]);
  });
});
