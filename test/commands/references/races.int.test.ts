import { test } from 'tap';
import { kurrentEventStore } from '../../../src/infrastructure/kurrent/event-store.js';
import { connectService, startStore } from '../../support/event-store.js';
import { outcomeOf, processOn } from '../../support/write-sides.js';

const ROUNDS = 25;

test('two processes on one event store', async (t) => {
  const { store } = await startStore(t);
  const one = processOn(kurrentEventStore(connectService(t, store.url)));
  const other = processOn(kurrentEventStore(connectService(t, store.url)));
  await one.createProject();

  await t.test('build no circle of prerequisites together', async (t) => {
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const [a, b] = [`a${round}`, `b${round}`];
      await Promise.all([one.createFlag(a), other.createFlag(b)]);
      const ended = await Promise.all([
        outcomeOf(one.require(a, [b])),
        outcomeOf(other.require(b, [a])),
      ]);
      outcomes.add(ended.toSorted().join(' + '));
    }
    t.strictSame([...outcomes], ['recorded + reference-cycle']);
  });

  await t.test('leave no rule that refers to a deleted segment', async (t) => {
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const [flag, segment] = [`flag${round}`, `segment${round}`];
      await Promise.all([one.createFlag(flag), other.createSegment(segment)]);
      const ended = await Promise.all([
        outcomeOf(one.deleteSegment(segment)),
        outcomeOf(other.target(flag, [segment])),
      ]);
      outcomes.add(ended.toSorted().join(' + '));
    }
    const possible = ['recorded + segment-in-use', 'recorded + unknown-segment'];
    t.strictSame(
      [...outcomes].filter((outcome) => !possible.includes(outcome)),
      [],
    );
  });
});
