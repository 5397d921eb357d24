import { isDeepStrictEqual } from 'node:util';
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { Answer } from './steps.js';

const fixtures = new URL('../../fixtures/eventstoredb/', import.meta.url);

/** The recordings in one file. */
export const recordings = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8')) as T;

/** A difference from the real server that is meant: which answers, and why. */
export type Allowed = Readonly<{ why: string; covers: (answer: Answer) => boolean }>;

/** Every answer equals the real server's, but for those that `allowed` names, which must occur `times` times. */
export const sameAnswers = (
  t: Test,
  answers: readonly Answer[],
  count: number,
  allowed: Readonly<Record<string, Allowed & Readonly<{ times: number }>>> = {},
): void => {
  const different = answers.filter(({ is, got }) => !isDeepStrictEqual(is, got));
  const rules = Object.entries(allowed);
  const unmeant = different.filter((answer) => !rules.some(([, { covers }]) => covers(answer)));
  for (const { at, is, got } of unmeant.slice(0, 25)) t.fail(at, { is, got });
  t.equal(unmeant.length, 0, 'answers that differ');
  t.equal(answers.length, count, 'answers compared');
  for (const [name, { why, covers, times }] of rules)
    t.equal(different.filter(covers).length, times, `${name}: ${why}`);
};

/** Does `work` for all items, so many at a time. */
export const inParallel = async <T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await work(item);
    }),
  );
};
