import { placeOf, type EventStoreModel, type ModelEvent } from '../../support/event-store-model.js';
import type { Case } from '../../support/recorded/case.js';
import { subscribe, type Noted } from '../../support/recorded/subscriptions.js';

type Followed = {
  readonly noted: Noted;
  /** Undefined for `$all`. */
  readonly stream: string | undefined;
  readonly expected: string[];
  readonly seen: string[];
  /** The first revision that it may bring. */
  readonly first: number;
  /** Whether it waits for its stream to be readable. */
  isWaiting: boolean;
};

type Begun = Omit<Followed, 'noted' | 'seen' | 'stream'>;

const MOST = 12;
const CLOSED = 'error stream-deleted';

/** Subscriptions to a store, with what its model says that they bring. */
export class RandomSubscriptions {
  readonly #scene: Case;
  readonly #model: EventStoreModel;
  #followed: Followed[] = [];
  constructor(scene: Case, model: EventStoreModel) {
    this.#scene = scene;
    this.#model = model;
  }

  /** What the model has now that it had not before. */
  deliver(news: readonly ModelEvent[]): void {
    this.#followed = this.#followed.filter(({ stream, isWaiting }) => {
      const isTimed = stream !== undefined && isWaiting && this.#model.isAgeing(stream);
      return !isTimed;
    });
    for (const followed of this.#followed)
      if (followed.stream === undefined) followed.expected.push(...news.map(placeOf));
      else this.#deliverTo(followed, followed.stream, news);
  }

  #deliverTo(followed: Followed, stream: string, news: readonly ModelEvent[]): void {
    const { expected, first, isWaiting } = followed;
    const mine = news.filter((event) => event.stream === stream && event.revision >= first);
    if (isWaiting && this.#model.isReadable(stream)) {
      followed.isWaiting = false;
      expected.push(...this.#kept(stream, first), 'caught-up');
    } else if (!isWaiting) expected.push(...mine.map(placeOf));
    if (mine.at(-1)?.revision === Infinity) expected.push(CLOSED);
  }

  #kept(stream: string, first: number): string[] {
    const from = Math.max(first, this.#model.oldest(stream));
    return this.#model
      .of(stream)
      .filter(({ revision }) => revision >= from)
      .map(placeOf);
  }

  #beginAll(from: unknown): Begun {
    const { log } = this.#model;
    const behind = log.findIndex((event) => placeOf(event) === from) + 1;
    const start = from === 'end' ? log.length : behind;
    const expected = ['confirmation', ...log.slice(start).map(placeOf), 'caught-up'];
    return { expected, first: 0, isWaiting: false };
  }

  #begin(stream: string, from: unknown): Begun {
    const model = this.#model;
    if (from === 'end')
      return {
        expected: ['confirmation', 'caught-up'],
        first: model.last(stream) + 1,
        isWaiting: false,
      };
    const first = from === 'start' ? 0 : Number(from) + 1;
    if (model.isTombstoned(stream)) return { expected: [CLOSED], first, isWaiting: false };
    if (!model.isReadable(stream)) return { expected: ['confirmation'], first, isWaiting: true };
    const expected = ['confirmation', ...this.#kept(stream, first), 'caught-up'];
    return { expected, first, isWaiting: false };
  }

  /** Opens one more, unless what it brings depends on the time; returns what it brings at once and what it should. */
  async open(stream: string | undefined, from: unknown): Promise<[unknown, unknown] | undefined> {
    if (this.#followed.length > MOST || this.#model.isAgeing(stream ?? '')) return undefined;
    const begun = stream === undefined ? this.#beginAll(from) : this.#begin(stream, from);
    const noted = await subscribe(this.#scene, { from, ...(stream !== undefined && { stream }) });
    this.#followed.push({ ...begun, noted, stream, seen: [] });
    return this.look(this.#followed.length - 1);
  }

  /** What a subscription has brought, and what it should have. */
  async look(nth: number): Promise<[unknown, unknown] | undefined> {
    const followed = this.#followed.at(nth);
    if (!followed) return undefined;
    const { noted, expected, seen } = followed;
    seen.push(...(await noted.log(expected.length - seen.length)));
    return [seen, expected];
  }

  /** Ends all; returns what they have brought, and what they should have. */
  async close(): Promise<[unknown, unknown]> {
    const all: [unknown, unknown][] = [];
    for (const [nth, { noted }] of this.#followed.entries()) {
      all.push((await this.look(nth)) ?? [0, 0]);
      noted.cancel();
    }
    this.#followed = [];
    return [all.map(([seen]) => seen), all.map(([, expected]) => expected)];
  }
}
