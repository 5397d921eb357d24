import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { fairShares } from '../../../src/api/limits/fair-shares.js';

const SIZE = { slots: 8, most: 6 };
const LONG_MS = 5_000;

/** Turns as they come: who has one, in order, and how each is ended. */
const asking = () => {
  const shares = fairShares(SIZE);
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (organization: string, patienceMs = LONG_MS) =>
    shares.turn(organization, patienceMs).then((end) => {
      if (end === undefined) return false;
      order.push(organization);
      ends.push(end);
      return true;
    });
  const settle = () => delay(1);
  return { order, ends, ask, settle };
};

test('alone an organization gets most of the slots, and the rest are kept free', async (t) => {
  const { order, ask, settle } = asking();
  for (let nth = 0; nth < 20; nth += 1) void ask('storm', 100);
  await settle();
  t.equal(order.length, SIZE.most);
  void ask('quiet');
  await settle();
  t.equal(order.at(-1), 'quiet', 'at once, behind nobody');
});

test('with several there each gets an equal part of a quarter of the slots', async (t) => {
  const { order, ends, ask, settle } = asking();
  void ask('quiet');
  for (let nth = 0; nth < 20; nth += 1) void ask('storm', 200);
  await settle();
  t.equal(order.filter((one) => one === 'storm').length, 1);
  ends.at(-1)?.();
  await settle();
  t.equal(order.filter((one) => one === 'storm').length, 2, 'one ends, one begins');
});

test('who has the fewest running is next', async (t) => {
  const { order, ends, ask, settle } = asking();
  for (let nth = 0; nth < 6; nth += 1) void ask('storm');
  for (let nth = 0; nth < 3; nth += 1) void ask('second');
  await settle();
  t.strictSame(order, [...Array.from({ length: 6 }, () => 'storm'), 'second']);
  void ask('storm', 200);
  ends[0]?.();
  await settle();
  t.equal(order.length, 7, 'it has its part, and more: nothing of it begins');
  ends[6]?.();
  await settle();
  t.equal(order.at(-1), 'second');
});

test('with more organizations than slots each of them has its turn', async (t) => {
  const { order, ends, ask, settle } = asking();
  const names = Array.from({ length: 2 * SIZE.slots }, (_, nth) => `organization-${nth}`);
  // One each first: who is alone gets more.
  for (let nth = 0; nth < 3; nth += 1) for (const name of names) void ask(name);
  await settle();
  for (let nth = 0; nth < SIZE.slots; nth += 1) {
    ends[nth]?.();
    await settle();
  }
  t.strictSame(new Set(order), new Set(names), 'those that came last too');
  t.equal(order.length, names.length, 'one turn each, before anybody has a second one');
});

test('who waits too long gets no turn, and takes none from others', async (t) => {
  const { order, ends, ask, settle } = asking();
  for (let nth = 0; nth < 6; nth += 1) void ask('storm');
  t.equal(await ask('storm', 5), false);
  ends[0]?.();
  void ask('storm');
  await settle();
  t.equal(order.length, 7);
});
