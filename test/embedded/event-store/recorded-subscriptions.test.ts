import { isDeepStrictEqual } from 'node:util';
import { test } from 'tap';
import { append, Case, remove, writeMetadata } from '../../support/recorded/case.js';
import { inParallel, recordings, sameAnswers } from '../../support/recorded/differences.js';
import { play, type Answer, type Steps } from '../../support/recorded/steps.js';
import { recordedStore } from '../../support/recorded/store.js';
import { subscribe } from '../../support/recorded/subscriptions.js';

type Subscriptions = Readonly<{
  streams: {
    states: Record<string, readonly (readonly [string, unknown, string?])[]>;
    order: { late: string[] };
    rows: Record<string, Record<string, string[]>>;
  };
  cases: Steps[];
}>;

const { streams, cases } = recordings<Subscriptions>('subscriptions');

const wordsIn = (is: string | undefined): string[] =>
  is === '' || is === undefined ? [] : is.split(', ');

test('streams in every state are subscribed to as recorded, from everywhere', async (t) => {
  const store = await recordedStore(t);
  const answers: Answer[] = [];
  const cells = Object.entries(streams.rows).flatMap(([state, row]) =>
    Object.entries(row).map(([from, is]) => ({ state, from, is })),
  );
  await inParallel(cells, 16, async ({ state, from, is }) => {
    const scene = new Case(store, `${state}-${from}`);
    for (const [how, expected, given = ''] of streams.states[state]!)
      if (how === 'append') await append(scene, 's', [expected, given]);
      else if (how === 'meta') await writeMetadata(scene, ['s', expected, given]);
      else await remove(scene, how, 's', expected);
    const { log, cancel } = await subscribe(scene, { stream: 's', from });
    const look = async (nth: number) => {
      const words = await log(wordsIn(is[nth]).length);
      const got = words.map((word) => word.replace('s@', '@')).join(', ');
      answers.push({ at: `${state} from ${from}, look ${nth}`, tag: undefined, is: is[nth], got });
    };
    const isLate = streams.order.late.includes(state) && is.length === 2;
    await look(0);
    await append(scene, 's', ['any', 'xy']);
    if (!isLate) await look(1);
    await append(scene, 's', ['any', 'z']);
    await look(isLate ? 1 : 2);
    cancel();
  });
  sameAnswers(t, answers, 231);
});

const isAlone = ({ steps }: Steps): boolean =>
  steps.some(
    ({ do: [name, , target] }) => name === 'subscribe' && !('stream' in (target as object)),
  );

test('subscriptions through deletes, filters and checkpoints deliver as recorded', async (t) => {
  const store = await recordedStore(t);
  const answers: Answer[] = [];
  const run = (steps: Steps, index: number) =>
    play(new Case(store, `case-${index}`), steps, answers);
  const indexed = cases.map((steps, index) => [steps, index] as const);
  await inParallel(
    indexed.filter(([steps]) => !isAlone(steps)),
    8,
    ([steps, index]) => run(steps, index),
  );
  for (const [steps, index] of indexed) if (isAlone(steps)) await run(steps, index);
  const isRefused = (got: unknown) => isDeepStrictEqual(got, ['error unknown']);
  const follows = (answer: Answer): boolean => {
    const before = answers[answers.indexOf(answer) - 3];
    return isRefused(before?.got) && isDeepStrictEqual(answer.got, []);
  };
  sameAnswers(t, answers, 1121, {
    'regex-dialect': {
      why: 'what a linear-time engine cannot do is refused: lookbehind, back-references, atomic groups, (?n)',
      covers: (answer) =>
        /lookbehind|backreference|atomic|explicit capture/.test(answer.at) &&
        (isRefused(answer.got) || follows(answer)),
      times: 8,
    },
  });
});
