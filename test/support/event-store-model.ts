/** Two times, in ms since the epoch. */
export type Between = readonly [number, number];

/**
 * What a real event store answers, as plain lists: the measure for random operations. Written from the recorded
 * answers, not from the server's code. Events are named by letters, in place of their ids.
 */
export type ModelEvent = Readonly<{
  stream: string;
  /** Infinity for the event that closes a stream. */
  revision: number;
  /** `-` for an event of the server's own. */
  letter: string;
  /** The text of a metadata event; undefined for what is no metadata. */
  body?: string | undefined;
  /** When it was appended: between these two times (ms since the epoch). */
  between: Between;
}>;

export type Expected = 'any' | 'no_stream' | 'stream_exists' | number;
/** `ok` or the kind of error, a revision, and whether there is a position (undefined: there may be). */
type Outcome = readonly [string, number?, (boolean | undefined)?];
export type Proposed = Readonly<{ letter: string; body?: string }>;

export const TOMBSTONE = '9223372036854775807';
const SOFT_DELETED = `"$tb":${TOMBSTONE}`;

const originalOf = (metastream: string): string => metastream.slice(2);
const isMetastream = (stream: string): boolean => stream.startsWith('$$');

export const placeOf = ({ stream, revision }: ModelEvent): string =>
  `${stream}@${revision === Infinity ? TOMBSTONE : revision}`;

const numberIn = (body: string, key: string): number => {
  const [, digits] = new RegExp(`"\\${key}":(\\d+)`).exec(body) ?? [];
  return digits === undefined ? 0 : Number(digits);
};

const revived = (body: string, truncateBefore: number): string => {
  const entry = `"$tb":${truncateBefore}`;
  if (body.includes('"$tb":')) return body.replace(/"\$tb":\d+/, () => entry);
  return body === '{}' ? `{${entry}}` : `${body.slice(0, -1)},${entry}}`;
};

const ok = (revision: number, hasPosition = true): Outcome => ['ok', revision, hasPosition];
const wrong = (actual: number): Outcome => ['wrong-expected-version', actual];
const DELETED: Outcome = ['stream-deleted'];

/** The log of one store, and what it answers. */
export class EventStoreModel {
  readonly log: ModelEvent[] = [
    { stream: '$$$scavenges', revision: 0, letter: '-', between: [0, 0] },
  ];
  readonly #recent = new Map<string, ModelEvent>();

  of(stream: string): readonly ModelEvent[] {
    return this.log.filter((event) => event.stream === stream);
  }

  last(stream: string): number {
    return this.of(stream).at(-1)?.revision ?? -1;
  }

  isTombstoned(stream: string): boolean {
    if (this.last(stream) === Infinity) return true;
    return isMetastream(stream) && this.isTombstoned(originalOf(stream));
  }

  #body(stream: string): string {
    return isMetastream(stream) ? '{"$maxCount":1}' : (this.of(`$$${stream}`).at(-1)?.body ?? '{}');
  }

  isSoftDeleted(stream: string): boolean {
    return this.#body(stream).includes(SOFT_DELETED);
  }

  isReadable(stream: string): boolean {
    return this.last(stream) >= 0 && !this.isSoftDeleted(stream) && !this.isTombstoned(stream);
  }

  /** Whether what can be read of it depends on the time. */
  isAgeing(stream: string): boolean {
    return numberIn(this.#body(stream), '$maxAge') > 0;
  }

  /** The lowest readable revision when `age` says how old an event is. */
  oldest(stream: string, age: (event: ModelEvent) => number = () => 0): number {
    const body = this.#body(stream);
    const last = this.last(stream);
    const [maxCount, maxAge] = [numberIn(body, '$maxCount'), numberIn(body, '$maxAge') * 1000];
    const kept = Math.max(
      0,
      maxCount > 0 ? last - maxCount + 1 : 0,
      Math.min(numberIn(body, '$tb'), last + 1),
    );
    if (maxAge === 0) return kept;
    const young = this.of(stream).find((event) => event.revision >= kept && age(event) <= maxAge);
    return young?.revision ?? last + 1;
  }

  /** After a restart only explicit revisions tell a repeat. */
  restart(): void {
    this.#recent.clear();
  }

  add(stream: string, { letter, body }: Proposed, between: Between): void {
    const event = { stream, revision: this.last(stream) + 1, letter, body, between };
    this.log.push(event);
    if (letter !== '-' && !this.#recent.has(letter)) this.#recent.set(letter, event);
  }

  #whyMissing(stream: string): Outcome | undefined {
    if (this.isSoftDeleted(stream)) return DELETED;
    const isThere = this.last(stream) >= 0 || this.of(`$$${stream}`).length > 0;
    return isThere ? undefined : wrong(-1);
  }

  #decide(stream: string, expected: Expected, letters: readonly string[]): Outcome | 'write' {
    if (this.isTombstoned(stream)) return DELETED;
    const missing = expected === 'stream_exists' ? this.#whyMissing(stream) : undefined;
    if (missing) return missing;
    return expected === 'any' || expected === 'stream_exists'
      ? this.#decideByIds(stream, letters)
      : this.#decideByRevision(stream, expected === 'no_stream' ? -1 : expected, letters);
  }

  #repeat(stream: string, revision: number): Outcome {
    if (this.isAgeing(stream)) return ['ok', revision, undefined];
    return ok(revision, revision >= this.oldest(stream));
  }

  #decideByIds(stream: string, letters: readonly string[]): Outcome | 'write' {
    const known = letters.map((letter) => {
      const event = this.#recent.get(letter);
      return event?.stream === stream ? event.revision : undefined;
    });
    const [first] = known;
    const last = known.at(-1);
    if (first === undefined) return 'write';
    if (last === undefined || known.includes(undefined)) return wrong(this.last(stream));
    return last < first - 1 ? ['unknown'] : this.#repeat(stream, last);
  }

  #decideByRevision(stream: string, after: number, letters: readonly string[]): Outcome | 'write' {
    const last = this.last(stream);
    if (after === last) return 'write';
    const stored = this.of(stream);
    const isSame = letters.map((letter, n) => stored[after + 1 + n]?.letter === letter);
    if (after > last || isSame.length === 0) return wrong(last);
    if (isSame.every(Boolean)) return this.#repeat(stream, after + letters.length);
    return after === -1 && !isSame[0] && this.isSoftDeleted(stream) ? 'write' : wrong(last);
  }

  append(stream: string, expected: Expected, events: readonly Proposed[], now: Between): Outcome {
    const last = this.last(stream);
    const letters = events.map(({ letter }) => letter);
    const decision = this.#decide(stream, expected, letters);
    if (decision !== 'write') return decision;
    this.#write(stream, events, now);
    return ok(last + events.length);
  }

  /** A deleted stream can be read again after a write to it or to its metadata stream. */
  #write(stream: string, events: readonly Proposed[], now: Between): void {
    const target = isMetastream(stream) ? originalOf(stream) : stream;
    const isReviving = this.isSoftDeleted(target);
    const next = this.last(target) + 1;
    const before = this.#body(target);
    for (const event of events) this.add(stream, event, now);
    const body = isMetastream(stream) && events.length > 0 ? events.at(-1)?.body : before;
    if (isReviving && body !== undefined)
      this.add(`$$${target}`, { letter: '-', body: revived(body, next) }, now);
  }

  softDelete(stream: string, expected: Expected, now: Between): Outcome {
    if (this.isTombstoned(`$$${stream}`)) return DELETED;
    if (this.last(stream) < 0 && this.of(`$$${stream}`).length === 0) return wrong(-1);
    const decision = this.#decide(stream, expected, ['']);
    if (decision !== 'write') return decision;
    this.add(`$$${stream}`, { letter: '-', body: `{${SOFT_DELETED}}` }, now);
    return ['ok'];
  }

  tombstone(stream: string, expected: Expected, now: Between): Outcome {
    const decision = this.#decide(stream, expected, ['']);
    if (decision !== 'write') return decision;
    this.log.push({ stream, revision: Infinity, letter: '-', between: now });
    return ['ok'];
  }
}
