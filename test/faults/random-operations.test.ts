import { randomInt } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { StorageError } from '../../src/embedded/event-store/storage/schema.js';
import { startStore, temporaryFolder } from '../support/event-store.js';
import { everyReading, wrongReadings, type Reading } from '../support/event-store-readings.js';
import { recordedStore, type RecordedStore } from '../support/recorded/store.js';
import { chooser, Run, STREAMS } from './support/random-operations.js';
import { byLength } from './support/scenario.js';

/** A failure is repeated by `FUZZ_SEED=<the seed it names>`; FUZZ_MINUTES is how long the long version takes. */
const SEED = Number(process.env['FUZZ_SEED'] ?? byLength(20_261_126, randomInt(2 ** 31)));
const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? 20);
const CASES = process.env['FUZZ_SEED'] === undefined ? byLength(2, Infinity) : 1;
const DAMAGES = byLength(2, 12);
const MOST_FAILURES = 3;

/** Changes some bytes somewhere in a file. */
const damage = (file: string, { below, one }: ReturnType<typeof chooser>): string => {
  const bytes = readFileSync(file);
  const at = below(bytes.length);
  const length = Math.min(one([1, 1, 1, 4, 512]), bytes.length - at);
  const kind = one(['bit', 'random', 'zero']);
  for (let n = 0; n < length; n++)
    bytes[at + n] =
      kind === 'bit' ? bytes[at + n]! ^ (1 << below(8)) : kind === 'zero' ? 0 : below(256);
  writeFileSync(file, bytes);
  return `${length} bytes at ${at}: ${kind}`;
};

/** All that can be read of a log; nothing when it is refused. */
const readingsOf = async (t: Test, file: string): Promise<Map<string, Reading>> => {
  const folder = temporaryFolder(t);
  copyFileSync(file, join(folder, 'events.db'));
  const started = await startStore(t, folder, { check: false }).catch((error: unknown) => {
    if (error instanceof StorageError) return undefined;
    throw error;
  });
  if (!started) return new Map();
  const readings = await everyReading(started.client, STREAMS);
  await started.client.dispose();
  await started.store.close();
  return readings;
};

const damaged = async (t: Test, { folder, kill }: RecordedStore, seed: number): Promise<void> => {
  await kill('SIGTERM');
  const file = join(folder, 'events.db');
  const choose = chooser(seed);
  const copy = join(temporaryFolder(t), 'events.db');
  copyFileSync(file, copy);
  const right = await readingsOf(t, copy);
  for (let n = 0; n < DAMAGES; n++) {
    copyFileSync(file, copy);
    const what = damage(copy, choose);
    const { wrong } = wrongReadings(right, await readingsOf(t, copy));
    t.strictSame(wrong, [], `${what} of the log`);
  }
};

test('random operations, kills and damage are answered as by a real event store', async (t) => {
  const until = Date.now() + MINUTES * 60_000;
  let failures = 0;
  for (let nth = 0; nth < CASES && failures < MOST_FAILURES && Date.now() < until; nth++) {
    const seed = SEED + nth;
    const result = await t.test(`FUZZ_SEED=${seed}`, async (t) => {
      const store = await recordedStore(t);
      if (await new Run(t, store, seed).play()) await damaged(t, store, seed);
    });
    if (result?.ok === false) failures++;
  }
});
