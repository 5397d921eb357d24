import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { recentAnswers, sharedRuns } from '../../src/queries/recent-answers.js';

test('who asks while a run is under way gets the next one, together with the others', async (t) => {
  const runs: PromiseWithResolvers<number>[] = [];
  const ask = sharedRuns(() => {
    const run = withResolvers<number>();
    runs.push(run);
    return run.promise;
  });
  const first = ask();
  await delay(0);
  const [second, third] = [ask(), ask()];
  await delay(0);
  t.equal(runs.length, 1, 'the next waits for the one before');
  runs[0]?.resolve(1);
  t.equal(await first, 1);
  await delay(0);
  runs[1]?.resolve(2);
  t.strictSame(
    await Promise.all([second, third]),
    [2, 2],
    'never one that began before they asked',
  );
  t.equal(runs.length, 2);
});

test('a run that failed fails only those who asked for it', async (t) => {
  let calls = 0;
  const ask = sharedRuns(() => {
    calls += 1;
    return calls === 1 ? Promise.reject(new Error('away')) : Promise.resolve(calls);
  });
  const [first, second] = [ask(), delay(0).then(ask)];
  await t.rejects(first, { message: 'away' });
  t.equal(await second, 2);
});

test('the same question is answered again, another or a failed one is asked', async (t) => {
  const asked: unknown[] = [];
  const answer = recentAnswers(async (question: { flag: string; position: number | bigint }) => {
    asked.push(question);
    if (question.flag === 'broken') throw new Error('away');
    return asked.length;
  });
  const same = await answer({ flag: 'one', position: 7 });
  t.equal(await answer({ flag: 'one', position: 7 }), same);
  t.not(await answer({ flag: 'one', position: 8 }), same, 'every event makes it another question');
  t.not(await answer({ flag: 'one', position: 2n ** 60n }), same);
  await t.rejects(answer({ flag: 'broken', position: 7 }));
  await t.rejects(answer({ flag: 'broken', position: 7 }));
  t.equal(asked.length, 5);
});

type PromiseWithResolvers<Value> = Readonly<{
  promise: Promise<Value>;
  resolve: (value: Value) => void;
}>;

const withResolvers = <Value>(): PromiseWithResolvers<Value> => {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};
