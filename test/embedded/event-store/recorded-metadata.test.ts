import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import {
  append,
  Case,
  read,
  readWords,
  remove,
  wordsOf,
  writeMetadata,
} from '../../support/recorded/case.js';
import { inParallel, recordings, sameAnswers } from '../../support/recorded/differences.js';
import { play, type Answer, type Steps } from '../../support/recorded/steps.js';
import { recordedStore, type RecordedStore } from '../../support/recorded/store.js';

type Body = Readonly<{
  body?: string;
  tag?: string;
  more?: Readonly<{ hex?: string; binary?: boolean; type?: string }>;
  is: Readonly<Record<string, unknown>>;
}>;
type Bodies = Readonly<{ state: readonly (readonly [string, unknown, string?])[]; cases: Body[] }>;

const { bodies, deleted, sequences } =
  recordings<Readonly<{ bodies: Bodies; deleted: Bodies; sequences: Steps[] }>>('metadata');

const WIDTH = 32;
/** Longer than the `$maxAge` of 2 seconds in the recordings: the only thing here that depends on time. */
const AGED_MS = 2_100;

const READS = [
  [],
  ['backwards', 'end'],
  ['forwards', 'start', 1],
  ['forwards', 1, 2],
  ['backwards', 'end', 1],
] as const;

const revisions = async (scene: Case, rest: (typeof READS)[number]): Promise<string> => {
  const events = await read(scene, 's', rest);
  return typeof events === 'string' ? events : events.map(({ revision }) => revision).join(' ');
};

const bytesOf = ({ body = '', more }: Body): Buffer =>
  more?.hex === undefined ? Buffer.from(body) : Buffer.from(more.hex, 'hex');

/** What can be read of a stream and its metadata. */
const look = async (scene: Case, written: Buffer): Promise<unknown[]> => {
  const events = await read(scene, '$$s', []);
  const [only] = typeof events === 'string' ? [] : events;
  const isAsWritten = only?.revision === '0' && only.data.equals(written);
  const looks: unknown[] = [];
  for (const rest of READS) looks.push(await revisions(scene, rest));
  return [...looks, isAsWritten ? 'as written' : await readWords(scene, '$$s', [])];
};

const briefly = (words: readonly unknown[]): string =>
  words.slice(0, words[0] === 'ok' ? 2 : 1).join(' ');

/** Looks with their numbers written in one way. */
const numbersOf = (look: unknown): string =>
  JSON.stringify(look).replace(/\d[\d.]*[eE]\+?\d+|\d+\.\d*/g, (digits) => `${Number(digits)}`);

type Played = Readonly<{ scene: Case; row: Body; got: Record<string, unknown> }>;

const playBodies = async (store: RecordedStore, sets: readonly Bodies[]): Promise<Played[]> => {
  const played = sets.flatMap(({ state, cases }, set) =>
    cases.map((row, index): Played & { state: Bodies['state'] } => ({
      scene: new Case(store, `body-${set}-${index}`),
      row,
      state,
      got: {},
    })),
  );
  const each = (work: (one: (typeof played)[number]) => Promise<void>) =>
    inParallel(played, WIDTH, work);
  await each(async ({ scene, row, state, got }) => {
    for (const [how, expected, ids] of state)
      if (how === 'append') await append(scene, 's', [expected, ids]);
      else await remove(scene, how, 's', expected);
    got['write'] = briefly(
      await writeMetadata(scene, ['s', 'any', row.body ?? '', row.more ?? {}]),
    );
  });
  const lookAs = (name: string) =>
    each(async ({ scene, row, got }) => {
      got[name] = await look(scene, bytesOf(row));
    });
  const appendAs = (name: string, expected: string) =>
    each(async ({ scene, got }) => {
      got[name] = briefly(wordsOf(await append(scene, 's', [expected, [name]])));
    });
  await delay(AGED_MS);
  await lookAs('look');
  await appendAs('append', 'stream_exists');
  await delay(AGED_MS);
  await lookAs('appended');
  await store.kill();
  await lookAs('killed');
  await appendAs('append2', 'any');
  await delay(AGED_MS);
  await lookAs('end');
  return played;
};

test('metadata as any bytes is obeyed as recorded, before and after a kill', async (t) => {
  const store = await recordedStore(t);
  const answers = (await playBodies(store, [bodies, deleted])).flatMap(({ row, scene, got }) =>
    Object.entries(row.is).map(([part, is]): Answer => {
      const at = `${scene.prefix} ${JSON.stringify(row.body)} ${JSON.stringify(row.more)} ${part}`;
      return { at, tag: row.tag, is: is === 'as before' ? row.is['appended'] : is, got: got[part] };
    }),
  );
  sameAnswers(t, answers, 1526, {
    'number-format': {
      why: 'numbers keep their digits (1e2, 1e20), the real server writes 100.0 and 1E+20',
      covers: ({ tag, is, got }) => tag === 'number-format' && numbersOf(is) === numbersOf(got),
      times: 5,
    },
  });
});

test('sequences of metadata are answered as recorded', async (t) => {
  const store = await recordedStore(t);
  const answers: Answer[] = [];
  for (const steps of sequences)
    await play(new Case(store, steps.name.replaceAll(' ', '-')), steps, answers);
  sameAnswers(t, answers, 249);
});
