import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import {
  EventStoreModel,
  placeOf,
  TOMBSTONE,
  type Between,
  type Expected,
  type Proposed,
} from '../../support/event-store-model.js';
import { append, Case, read, readAllWords, remove, wordsOf } from '../../support/recorded/case.js';
import type { RecordedStore } from '../../support/recorded/store.js';
import { RandomSubscriptions } from './random-subscriptions.js';
import { byLength } from './scenario.js';

const OPERATIONS = byLength(60, 120);

/** Numbers from 0 below 1, the same for the same seed. Source: Tommy Ettinger's mulberry32. */
const randomNumbers = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Choices that are the same for the same seed. */
export const chooser = (seed: number) => {
  const next = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  const one = <T>(items: readonly T[]): T => items[below(items.length)]!;
  return { below, one, chance: (share: number): boolean => next() < share };
};

export const STREAMS = ['s', 't', 'u'];
const BODIES = [
  '{}',
  '{"$maxCount":2}',
  '{"$maxAge":1}',
  '{"$maxAge":1000,"$maxCount":4}',
  '{"$tb":3}',
  '{"$tb":999}',
  '{"a":1,"$maxCount":0,"$tb":1}',
  `{"a":1,"$tb":${TOMBSTONE}}`,
  undefined,
];

/** One case: a fresh store, its model, and the operations that led here. */
export class Run {
  readonly #t: Test;
  readonly #scene: Case;
  readonly #choose: ReturnType<typeof chooser>;
  readonly #model = new EventStoreModel();
  readonly #subscriptions: RandomSubscriptions;
  readonly #history: string[] = [];
  readonly #letters: string[] = [];
  #count = 0;
  #isRight = true;
  constructor(t: Test, store: RecordedStore, seed: number) {
    this.#t = t;
    this.#scene = new Case(store, '');
    this.#choose = chooser(seed);
    this.#subscriptions = new RandomSubscriptions(this.#scene, this.#model);
  }

  #same(got: unknown, wanted: readonly unknown[], operation: string): void {
    this.#history.push(operation);
    if (wanted.some((one) => isDeepStrictEqual(one, got))) return;
    this.#isRight = false;
    this.#t.fail(operation, { got, wanted, history: this.#history.slice(-40) });
  }

  #stream(): string {
    const { chance, one } = this.#choose;
    return `${chance(0.12) ? '$$' : ''}${one(STREAMS)}`;
  }

  #expected(stream: string): Expected {
    const { one, below } = this.#choose;
    const last = this.#model.last(stream);
    const near = Math.max(0, (last === Infinity ? 5 : last) + one([-3, -2, -1, 0, 0, 0, 1]));
    return one<Expected>(['any', 'any', 'no_stream', 'stream_exists', near, near, below(9)]);
  }

  #letter(): string {
    const { chance, one } = this.#choose;
    if (this.#letters.length > 0 && chance(0.3)) return one(this.#letters.slice(-8));
    const letter = `${this.#count++}`;
    this.#letters.push(letter);
    return letter;
  }

  async #timed<T>(work: () => Promise<T>): Promise<[T, Between]> {
    const before = Date.now();
    return [await work(), [before, Date.now()]];
  }

  async #write(
    operation: string,
    work: () => Promise<readonly unknown[]>,
    onModel: (now: Between) => readonly unknown[],
  ): Promise<void> {
    const [got, now] = await this.#timed(work);
    const before = this.#model.log.length;
    const wanted = onModel(now);
    const [kind, number] = got;
    const revision = number === 'no_stream' ? -1 : Number(number);
    const isPlaced = wanted.length === 3 && wanted[2] === undefined ? undefined : got[2] !== null;
    this.#same(
      got.length === 1 ? [kind] : [kind, revision, isPlaced],
      [
        wanted.length === 2 ? [...wanted, true] : wanted,
        // The client says 0 of a stream that still has no event.
        ...(wanted[0] === 'ok' && wanted[1] === -1 ? [['ok', 0, true]] : []),
      ],
      operation,
    );
    this.#subscriptions.deliver(this.#model.log.slice(before));
  }

  async #append(): Promise<void> {
    const stream = this.#stream();
    if (stream.startsWith('$$')) return this.#appendMetadata(stream);
    const expected = this.#expected(stream);
    const size = this.#choose.one([0, 1, 1, 1, 2, 3]);
    const events = Array.from({ length: size }, () => ({ letter: this.#letter() }));
    const letters = events.map(({ letter }) => letter);
    const way = this.#choose.one(['batch', 'classic']);
    await this.#write(
      `append ${stream} ${expected} [${letters.join()}] ${way}`,
      async () => wordsOf(await append(this.#scene, stream, [expected, letters, way])),
      (now) => this.#model.append(stream, expected, events, now),
    );
  }

  async #appendMetadata(metastream: string): Promise<void> {
    const expected = this.#choose.chance(0.7) ? 'any' : this.#expected(metastream);
    const proposed: Proposed = { letter: `m${this.#count++}` };
    const body = this.#choose.one(BODIES);
    const event = { id: proposed.letter, type: '$metadata', body: body ?? 'not json' };
    await this.#write(
      `append ${metastream} ${expected} ${body ?? 'not json'}`,
      async () => wordsOf(await append(this.#scene, metastream, [expected, [event]])),
      (now) =>
        this.#model.append(metastream, expected, [{ ...proposed, ...(body && { body }) }], now),
    );
  }

  async #remove(how: 'delete' | 'tombstone'): Promise<void> {
    const stream = this.#stream();
    const chosen = this.#expected(stream);
    const expected = chosen === 'stream_exists' ? 'any' : chosen;
    await this.#write(
      `${how} ${stream} ${expected}`,
      () => remove(this.#scene, how, stream, expected),
      (now) =>
        how === 'delete'
          ? this.#model.softDelete(stream, expected, now)
          : this.#model.tombstone(stream, expected, now),
    );
  }

  #readOf(
    stream: string,
    [direction, from, count]: readonly [string, unknown, number],
    at: number,
  ) {
    const model = this.#model;
    if (model.isTombstoned(stream)) return 'stream-deleted';
    if (!model.isReadable(stream)) return 'stream-not-found';
    const oldest = model.oldest(stream, ({ between }) => at - between[0]);
    const kept = model.of(stream).filter(({ revision }) => revision >= oldest);
    const ordered = direction === 'forwards' ? kept : kept.toReversed();
    const wanted = ordered.filter(({ revision }) => {
      if (from === 'start') return direction === 'forwards' || revision === 0;
      if (from === 'end') return true;
      return direction === 'forwards' ? revision >= Number(from) : revision <= Number(from);
    });
    return wanted
      .slice(0, count)
      .map(({ revision, letter }) => `${revision}:${letter}`)
      .join(' ');
  }

  async #read(): Promise<void> {
    const { one, below, chance } = this.#choose;
    const stream = chance(0.2) ? `$$${one(STREAMS)}` : one(STREAMS);
    const direction = one(['forwards', 'backwards']);
    const from = chance(0.5) ? (direction === 'forwards' ? 'start' : 'end') : below(12);
    const rest = [direction, from, one([1, 2, 5, 1000])] as const;
    const [events, [before, after]] = await this.#timed(() => read(this.#scene, stream, rest));
    const got =
      typeof events === 'string'
        ? events
        : events.map(({ revision, id }) => `${revision}:${this.#scene.letterOf(id)}`).join(' ');
    // An event that comes of age about now may be there or not.
    const written = this.#model.of(stream).map(({ between }) => between);
    const begin = before - Math.max(0, ...written.map(([first, last]) => last - first));
    const times = written.map(([first]) => first + 1001).filter((at) => at > begin && at < after);
    this.#same(
      got,
      [begin, ...times, after].map((at) => this.#readOf(stream, rest, at)),
      `read ${stream} ${rest.join(' ')}`,
    );
  }

  async #readAll(): Promise<void> {
    const { one, chance } = this.#choose;
    const { log } = this.#model;
    const direction = one(['forwards', 'backwards'] as const);
    const isWhole = chance(0.4);
    const index = log.indexOf(one(log));
    const from = isWhole ? (direction === 'forwards' ? 'start' : 'end') : placeOf(log[index]!);
    const count = one([1, 3, 500]);
    const behind =
      direction === 'forwards'
        ? log.slice(isWhole ? 0 : index)
        : log.slice(0, isWhole ? undefined : index).toReversed();
    const got = await readAllWords(this.#scene, [direction, from, count], true);
    this.#same(
      got,
      [behind.slice(0, count).map(placeOf).join(' ')],
      `read $all ${direction} ${from} ${count}`,
    );
  }

  /** Writers are cut off by the kill: what they wrote is there wholly or not at all. */
  async #kill(): Promise<void> {
    const [brought, wanted] = await this.#subscriptions.close();
    this.#same(brought, [wanted], 'subscriptions');
    const letters = (nth: number) => [0, 1, 2].map((n) => `k${this.#count}.${nth}.${n}`);
    const names = [0, 1, 2, 3].map((nth) => `k${this.#count}-${nth}`);
    const isClean = this.#choose.chance(0.4);
    const answers = isClean
      ? []
      : names.map((name, nth) =>
          append(this.#scene, name, ['no_stream', letters(nth)]).catch(() => undefined),
        );
    if (this.#choose.chance(0.5)) await answers[0];
    await this.#scene.store.kill(isClean ? 'SIGTERM' : 'SIGKILL');
    const all = await readAllWords(this.#scene, ['forwards', 'start', 100_000], true);
    const news = all.split(' ').slice(this.#model.log.length);
    const there = new Set(news.map((place) => place.split('@')[0]!));
    for (const name of there) {
      const nth = names.indexOf(name);
      for (const letter of letters(nth)) this.#model.add(name, { letter }, [0, 0]);
    }
    this.#model.restart();
    this.#same(news, [[...there].flatMap((name) => [0, 1, 2].map((n) => `${name}@${n}`))], 'kill');
    const outcomes = await Promise.all(answers);
    const lost = names.filter((name, nth) => outcomes[nth]?.kind === 'ok' && !there.has(name));
    this.#same(lost, [[]], 'acknowledged before the kill');
    this.#count++;
  }

  #followed(looked: readonly [unknown, unknown] | undefined, operation = 'look'): void {
    if (looked) this.#same(looked[0], [looked[1]], operation);
  }

  async #subscribe(): Promise<void> {
    const { one, chance, below } = this.#choose;
    const stream = chance(0.3) ? undefined : one(STREAMS);
    const behind = stream === undefined ? placeOf(one(this.#model.log)) : below(8);
    const from = one(['start', 'end', behind, behind]);
    const looked = await this.#subscriptions.open(stream, from);
    this.#followed(looked, `subscribe ${stream ?? '$all'} from ${from}`);
  }

  async #step(): Promise<void> {
    const dice = this.#choose.below(100);
    if (dice < 45) await this.#append();
    else if (dice < 53) await this.#remove('delete');
    else if (dice < 54) await this.#remove('tombstone');
    else if (dice < 74) await this.#read();
    else if (dice < 84) await this.#readAll();
    else if (dice < 90) await this.#subscribe();
    else if (dice < 98) this.#followed(await this.#subscriptions.look(this.#choose.below(9)));
    else await this.#kill();
  }

  async play(): Promise<boolean> {
    for (let n = 0; n < OPERATIONS && this.#isRight; n++) await this.#step();
    if (this.#isRight) await this.#kill();
    return this.#isRight;
  }
}
