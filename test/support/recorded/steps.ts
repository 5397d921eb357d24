import {
  append,
  type Case,
  readAllWords,
  readWords,
  remove,
  wordsOf,
  writeMetadata,
  type Operation,
} from './case.js';
import { subscribe, type Noted, type Target } from './subscriptions.js';

/** An operation with the answer of the real server. */
export type Step = Readonly<{ do: Operation; is: unknown; tag?: string }>;

/** A case of the recordings: steps to be done in order. */
export type Steps = Readonly<{ name: string; tag?: string; steps: readonly Step[] }>;

/** What an append answered, with its position as it came. */
class AppendWords {
  readonly words: readonly unknown[];
  constructor(words: readonly unknown[]) {
    this.words = words;
  }
}

type Doing = Readonly<{ scene: Case; noted: Map<string, Noted>; is: unknown }>;

/** The answers of appends with their positions as places, found out by one read for all. */
const placed = async (scene: Case, answers: readonly Answer[]): Promise<Answer[]> => {
  const places = await scene.store.places();
  return answers.map((answer) => {
    if (!(answer.got instanceof AppendWords)) return answer;
    const [kind, next, commit] = answer.got.words;
    const isPlaced = kind === 'ok' && typeof commit === 'string';
    const place = isPlaced ? (scene.localPlace(places.get(commit)) ?? '?') : undefined;
    return { ...answer, got: isPlaced ? [kind, next, place] : answer.got.words };
  });
};

const lengthOf = (is: unknown): number => (Array.isArray(is) ? is.length : 0);

const follow = async (scene: Case, target: Target, is: unknown): Promise<string[]> => {
  const noted = await subscribe(scene, target);
  const words = await noted.log(lengthOf(is));
  noted.cancel();
  return target.stream === undefined
    ? words
    : words.map((word) => word.replace(`${target.stream!}@`, '@'));
};

const OPERATIONS: Record<string, (doing: Doing, ...rest: never[]) => Promise<unknown>> = {
  append: async ({ scene }, stream: string, ...rest: [unknown, unknown, unknown?]) =>
    new AppendWords(wordsOf(await append(scene, stream, rest))),
  meta: ({ scene }, ...rest: [string, unknown, string]) => writeMetadata(scene, rest),
  delete: ({ scene }, stream: string, expected: unknown) =>
    remove(scene, 'delete', stream, expected),
  tombstone: ({ scene }, stream: string, expected: unknown) =>
    remove(scene, 'tombstone', stream, expected),
  read: ({ scene }, stream: string, ...rest: []) => readWords(scene, stream, rest),
  all: ({ scene }, ...rest: [string, unknown, number]) => readAllWords(scene, rest, false),
  allexact: ({ scene }, ...rest: [string, unknown, number]) => readAllWords(scene, rest, true),
  follow: ({ scene, is }, stream: string) => follow(scene, { stream }, is),
  followall: ({ scene, is }, prefixes: string[], from: unknown) =>
    follow(scene, { from, filter: { stream: { prefixes } } as never }, is),
  subscribe: async ({ scene, noted, is }, name: string, target: Target) => {
    const subscription = await subscribe(scene, target);
    noted.set(name, subscription);
    return subscription.log(lengthOf(is));
  },
  log: ({ noted, is }, name: string) => noted.get(name)!.log(lengthOf(is)),
  unsubscribe: async ({ noted }, name: string) => {
    noted.get(name)!.cancel();
    return 'ok';
  },
  // The real server does some things a moment after its answer; this one has done them by then.
  wait: async () => 'ok',
  kill: async ({ scene }) => {
    await scene.store.kill();
    return 'ok';
  },
};

/** Does a step; resolves with the answer in the words of the recordings. */
const perform = (doing: Doing, [name, ...rest]: Operation): Promise<unknown> =>
  OPERATIONS[name]!(doing, ...(rest as never[]));

/** What to compare: the real server's answer and this one's, and where. */
export type Answer = Readonly<{ at: string; tag: string | undefined; is: unknown; got: unknown }>;

/** Does all steps of a case. */
export const play = async (
  scene: Case,
  { name, tag, steps }: Steps,
  answers: Answer[],
): Promise<void> => {
  const noted = new Map<string, Noted>();
  const given: Answer[] = [];
  for (const [index, step] of steps.entries()) {
    const got = await perform({ scene, noted, is: step.is }, step.do);
    const at = `${name}, step ${index}: ${JSON.stringify(step.do)}`;
    given.push({ at, tag: step.tag ?? tag, is: step.is, got });
  }
  for (const subscription of noted.values()) subscription.cancel();
  answers.push(...(await placed(scene, given)));
};
