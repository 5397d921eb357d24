import { test } from 'tap';
import { byLength } from './support/scenario.js';
import {
  append,
  Case,
  readWords,
  remove,
  wordsOf,
  writeMetadata,
} from '../support/recorded/case.js';
import { inParallel, recordings, sameAnswers } from '../support/recorded/differences.js';
import { play, type Answer, type Steps } from '../support/recorded/steps.js';
import { recordedStore } from '../support/recorded/store.js';

type Cell = readonly unknown[];
type SetUp = readonly (readonly [string, unknown, unknown?])[];
type Appends = Readonly<{
  table: {
    order: { states: string[]; expected: (string | number)[]; ids: string[] };
    states: Record<string, SetUp>;
    rows: Record<string, Record<string, Record<string, Cell | { live: Cell; killed: Cell }>>>;
  };
  deletes: { rows: Record<string, Record<string, Record<string, Cell>>> };
  sequences: Steps[];
}>;

const { table, deletes, sequences } = recordings<Appends>('appends');
const WIDTH = 48;
/** Every so many cells of the table; a prime, so that all of its rows and columns come up. */
const STRIDE = byLength(7, 1);

const setUp = async (scene: Case, state: string): Promise<void> => {
  for (const [how, expected, given] of table.states[state]!)
    if (how === 'append') await append(scene, 's', [expected, given]);
    else if (how === 'meta') await writeMetadata(scene, ['s', expected, given as string]);
    else await remove(scene, how, 's', expected);
};

type Trial = Readonly<{
  scene: Case;
  state: string;
  expected: unknown;
  ids: string;
  way: 'batch' | 'classic';
  is: Cell;
}>;

/** A read without the ids' positions: `3N 4a`. */
const readShort = async (scene: Case): Promise<unknown> => {
  const words = await readWords(scene, 's', []);
  return typeof words === 'string' ? words.replaceAll(':', '') : words;
};

test('appends in every state of a stream are answered as recorded', async (t) => {
  const store = await recordedStore(t);
  const trials = (when: 'live' | 'killed'): Trial[] =>
    allTrials(when).filter((_, nth) => nth % STRIDE === 0);
  const allTrials = (when: 'live' | 'killed'): Trial[] =>
    (['batch', 'classic'] as const).flatMap((way) =>
      table.order.states.flatMap((state) =>
        table.order.expected.flatMap((expected) =>
          table.order.ids.map((ids) => {
            const cell = table.rows[state]![expected]![ids === '' ? 'none' : ids]!;
            const scene = new Case(store, `${when}-${way}-${state}-${expected}-${ids}`);
            const is = 'live' in cell ? cell[when] : cell;
            return { scene, state, expected, ids, way, is };
          }),
        ),
      ),
    );
  const outcomes = new Map<Trial, readonly [unknown[], unknown]>();
  const attempt = async (trial: Trial) => {
    const { scene, expected, ids, way } = trial;
    const outcome = wordsOf(await append(scene, 's', [expected, ids, way]));
    outcomes.set(trial, [outcome, await readShort(scene)]);
  };

  const killed = trials('killed');
  await inParallel(killed, WIDTH, ({ scene, state }) => setUp(scene, state));
  await store.kill();
  await inParallel(killed, WIDTH, attempt);
  await inParallel(trials('live'), WIDTH, async (trial) => {
    await setUp(trial.scene, trial.state);
    await attempt(trial);
  });

  const places = await store.places();
  const metadata = await store.metadata();
  /** The revision at a position, `?` where no event is. */
  const revisionAt = (scene: Case, commit: unknown): unknown => {
    if (typeof commit !== 'string') return null;
    const place = scene.localPlace(places.get(commit));
    return place === undefined ? '?' : Number(place.replace('s@', ''));
  };
  const answers = [...outcomes].map(([{ scene, is }, [[kind, number = null, commit], reads]]) => {
    const written = metadata.get(scene.stream('$$s'));
    const got = [kind, number, revisionAt(scene, commit), reads];
    if (written !== undefined) got.push(written);
    return { at: scene.prefix, tag: undefined, is, got };
  });
  sameAnswers(t, answers, 2 * Math.ceil(3520 / STRIDE));
});

const briefly = (words: readonly unknown[]): string => words.slice(0, 2).join(' ');

const revisions = async (scene: Case): Promise<unknown> => {
  const words = await readWords(scene, 's', []);
  return typeof words === 'string' ? words.replace(/:\S+/g, '') : words;
};

/** The newest metadata event, null when it cannot be read. */
const readableMetadata = async (scene: Case): Promise<unknown> => {
  const words = await readWords(scene, '$$s', []);
  return Array.isArray(words) ? (words as [number, string][]).at(-1)?.[1] : null;
};

test('deletes and tombstones in every state of a stream are answered as recorded', async (t) => {
  const store = await recordedStore(t);
  const answers: Answer[] = [];
  const trials = Object.entries(deletes.rows).flatMap(([how, states]) =>
    Object.entries(states).flatMap(([state, row]) =>
      Object.entries(row).map(([expected, is]) => ({ how, state, expected, is })),
    ),
  );
  await inParallel(trials, 16, async ({ how, state, expected, is }) => {
    const scene = new Case(store, `${how}-${state}-${expected}`);
    await setUp(scene, state);
    const got = [
      briefly(await remove(scene, how, 's', expected)),
      await revisions(scene),
      await readableMetadata(scene),
      briefly(await remove(scene, how, 's', expected)),
      briefly(wordsOf(await append(scene, 's', ['any', 'z']))),
      await revisions(scene),
      await readableMetadata(scene),
    ];
    answers.push({ at: scene.prefix, tag: undefined, is, got });
  });
  sameAnswers(t, answers, 187);
});

test('sequences of appends, deletes and kills are answered as recorded', async (t) => {
  const store = await recordedStore(t);
  const answers: Answer[] = [];
  const isKilled = ({ steps }: Steps) => steps.some(({ do: [name] }) => name === 'kill');
  await inParallel(
    sequences.filter((steps) => !isKilled(steps)),
    8,
    (steps) => play(new Case(store, steps.name.replaceAll(' ', '-')), steps, answers),
  );
  for (const steps of sequences.filter(isKilled))
    await play(new Case(store, steps.name.replaceAll(' ', '-')), steps, answers);
  sameAnswers(t, answers, 530);
});
