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
  await t.test('a history of large versions comes in pages of some megabytes', async (t) => {
    type Page = Readonly<{ items: readonly { revision: number }[]; nextCursor: string | null }>;
    const revisions: number[] = [];
    const sizes: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const path = `/projects/demo/flags/large/history?limit=50&order=asc${more}`;
      const { status, body, text } = await service.get<Page>(path);
      t.equal(status, 200);
      revisions.push(...body.items.map(({ revision }) => revision));
      sizes.push(text.length);
      cursor = body.nextCursor;
    }
    const count = revisions.length;
    t.ok(count >= 12);
    t.strictSame(
      revisions,
      Array.from({ length: count }, (_, nth) => nth),
      'each event once, in order',
    );
    t.ok(Math.max(...sizes) < 8_000_000, `bytes of pages: ${sizes.join(', ')}`);
  });
  await t.test('more than the maximum is refused, and why', async (t) => {
    const included = Array.from({ length: 100_001 }, (_, n) => `u${n}`);
    const many = await service.post('/projects/demo/segments', { body: { key: 'over', included } });
    const tooMany = /too-many-keys.*at most 100000\. Describe its members by rules/;
    t.match([many.status, many.text], [422, tooMany]);
    const half = { included: included.slice(0, 60_000), excluded: included.slice(60_000) };
    const over = '/projects/demo/segments/crowd/keys';
    const replaced = await service.put(over, { body: half });
    t.match([replaced.status, replaced.text], [422, tooMany], 'both lists count');
    const added = await service.post(`${over}/add`, { body: { excluded: included } });
    t.match([added.status, added.text], [422, tooMany]);
    const large = Array.from({ length: 100_000 }, (_, n) => `${n}-${'k'.repeat(100)}`);
    const refused = await service.post('/projects/demo/segments', {
      body: { key: 'over', included: large },
    });
    t.match([refused.status, refused.text], [413, /8 MiB/]);
  });
});
