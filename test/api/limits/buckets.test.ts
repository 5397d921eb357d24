import { test } from 'tap';
import { localBuckets, parseBudget, sharedBuckets } from '../../../src/api/limits/buckets.js';
import { clientNetwork } from '../../../src/api/limits/refusal.js';

const budget = { perSecond: 10, burst: 3 };

/** Buckets with a clock to be moved. Milliseconds. */
const bucketsAt = () => {
  const time = { now: 5_000 };
  return { time, buckets: localBuckets(() => time.now) };
};

test('a burst is allowed, then no more', async (t) => {
  const { buckets } = bucketsAt();
  const taken = [1, 2, 3, 4].map(() => buckets.take('a', budget));
  t.match(taken, [
    { isAllowed: true, remaining: 2, waitMs: 0, fullMs: 100 },
    { isAllowed: true, remaining: 1, waitMs: 0, fullMs: 200 },
    { isAllowed: true, remaining: 0, waitMs: 0, fullMs: 300 },
    { isAllowed: false, remaining: 0, fullMs: 300 },
  ]);
  t.equal(Math.round(taken[3]?.waitMs ?? 0), 100);
});

test('what was taken comes back with time, and never more than the burst', async (t) => {
  const { time, buckets } = bucketsAt();
  const allowed = (): number =>
    [1, 2, 3, 4, 5].filter(() => buckets.take('a', budget).isAllowed).length;
  t.equal(allowed(), 3);
  time.now += 200;
  t.equal(allowed(), 2);
  time.now += 3_600_000;
  t.equal(allowed(), 3);
});

test('a refused request takes nothing', async (t) => {
  const { time, buckets } = bucketsAt();
  for (let count = 0; count < 100; count += 1) buckets.take('a', budget);
  time.now += 100;
  t.equal(buckets.take('a', budget).isAllowed, true);
});

test('everybody has a bucket of their own', async (t) => {
  const { buckets } = bucketsAt();
  for (let count = 0; count < 3; count += 1) buckets.take('a', budget);
  t.equal(buckets.take('a', budget).isAllowed, false);
  t.match(buckets.take('b', budget), { isAllowed: true, remaining: 2 });
});

test('several buckets are taken from together or not at all', async (t) => {
  const { buckets } = bucketsAt();
  const one = { key: 'one', budget: { perSecond: 1, burst: 1 } };
  const other = { key: 'other', budget };
  t.match(buckets.takeAll([one, other]), [{ isAllowed: true }, { isAllowed: true }]);
  t.match(buckets.takeAll([one, other]), [{ isAllowed: false }, { isAllowed: true }]);
  t.match(buckets.take('other', budget), { remaining: 1 });
});

test('full buckets are forgotten', async (t) => {
  const { time, buckets } = bucketsAt();
  for (let nth = 0; nth < 10_000; nth += 1) buckets.take(`address ${nth}`, budget);
  time.now += 1_000;
  buckets.take('one more', budget);
  t.equal(buckets.size(), 1);
});

test('while the shared buckets are away those of the process count', async (t) => {
  const take = sharedBuckets(async () => {
    throw new Error('away');
  });
  const ask = { key: 'a', budget: { perSecond: 1 / 60, burst: 2 } };
  const allowed = [];
  for (let nth = 0; nth < 4; nth += 1) allowed.push((await take([ask]))?.isAllowed);
  t.strictSame(allowed, [true, true, false, false]);
});

test('a limit is a count, a unit and a burst', async (t) => {
  t.strictSame(parseBudget('10/s'), { perSecond: 10, burst: 10 });
  t.strictSame(parseBudget('30/min'), { perSecond: 0.5, burst: 30 });
  t.strictSame(parseBudget('10/s:300'), { perSecond: 10, burst: 300 });
  t.equal(parseBudget('off'), undefined);
});

test('an address of IPv6 stands for its /64', async (t) => {
  t.equal(clientNetwork('2001:db8:1:2::1'), clientNetwork('2001:db8:1:2:ffff::9'));
  t.not(clientNetwork('2001:db8:1:2::1'), clientNetwork('2001:db8:1:3::1'));
  t.equal(clientNetwork('::ffff:192.0.2.1'), '192.0.2.1');
  t.not(clientNetwork('192.0.2.1'), clientNetwork('192.0.2.2'));
});
