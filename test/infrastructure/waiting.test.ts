import t from 'tap';
import { pause, repeat } from '../../src/infrastructure/waiting.js';

const LONG_MS = 3_600_000;

await t.test('a pause ends when its signal aborts, and is none when it has', async (t) => {
  const closing = new AbortController();
  const paused = pause(LONG_MS, closing);
  closing.abort();
  await t.resolves(paused);
  await t.resolves(pause(LONG_MS, closing));
});

await t.test('work is repeated although it fails, until the signal aborts', async (t) => {
  const closing = new AbortController();
  let runs = 0;
  const work = (): Promise<void> => {
    runs += 1;
    if (runs === 3) closing.abort();
    return Promise.reject(new Error('not now'));
  };
  await repeat(work, { everyMs: 1, signal: closing.signal });
  t.equal(runs, 3);
});

await t.test('the first run can come after a pause, in which the signal may abort', async (t) => {
  const closing = new AbortController();
  let runs = 0;
  const work = (): Promise<void> => Promise.resolve(void (runs += 1));
  const repeated = repeat(work, {
    everyMs: LONG_MS,
    signal: closing.signal,
    first: 'after a pause',
  });
  closing.abort();
  await repeated;
  t.equal(runs, 0);
});
