import { createHash } from 'node:crypto';
import {
  binaryEvent,
  jsonEvent,
  type AppendExpectedRevision,
  type EventData,
} from '@eventstore/db-client';
import type { RecordedStore } from './store.js';
import { appendRaw, readAllOf, type Appended, type Position, type Source } from './wire.js';

/** One operation of the recordings: its name and arguments. */
export type Operation = readonly [string, ...unknown[]];

type EventSpec = Readonly<{
  id: string | number;
  type?: string;
  body?: string;
  hex?: string;
  binary?: boolean;
  size?: number;
}>;

const isCut = (name: string): RegExpExecArray => /^((?:\$\$)*)(.*)$/s.exec(name)!;

/** The streams and ids of one case: local names, made unique in the store. */
export class Case {
  readonly store: RecordedStore;
  readonly prefix: string;
  readonly #letters = new Map<string, string>();
  constructor(store: RecordedStore, name: string) {
    this.store = store;
    this.prefix = name === '' ? '' : `${name}.`;
  }
  stream(local: string): string {
    const [, dollars = '', rest = ''] = isCut(local);
    return `${dollars}${this.prefix}${rest}`;
  }
  /** The local name of `stream`; undefined for a stream of another case. */
  localOf(stream: string): string | undefined {
    const [, dollars = '', rest = ''] = isCut(stream);
    return rest.startsWith(this.prefix) ? `${dollars}${rest.slice(this.prefix.length)}` : undefined;
  }
  /** `s@3` for the place of an event of this case. */
  localPlace(place: string | undefined): string | undefined {
    const at = place?.lastIndexOf('@') ?? 0;
    const local = place === undefined ? undefined : this.localOf(place.slice(0, at));
    return local === undefined ? undefined : `${local}${place!.slice(at)}`;
  }
  id(letter: string | number): string {
    const hex = createHash('sha1').update(`${this.prefix}:${letter}`).digest('hex');
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    this.#letters.set(id, `${letter}`);
    return id;
  }
  letterOf(id: string): string {
    return this.#letters.get(id) ?? '-';
  }
}

const specsOf = (events: unknown): readonly EventSpec[] => {
  const list = (typeof events === 'string' ? Array.from(events) : events) as readonly (
    EventSpec | string | number
  )[];
  return list.map((event) => (typeof event === 'object' ? event : { id: event }));
};

const eventOf = (scene: Case, { id, type = 't', size }: EventSpec): EventData =>
  size === undefined
    ? jsonEvent({ id: scene.id(id), type, data: {} })
    : binaryEvent({ id: scene.id(id), type, data: Buffer.alloc(size) });

const bytesOf = ({ body = '', hex }: EventSpec): Buffer =>
  hex === undefined ? Buffer.from(body) : Buffer.from(hex, 'hex');

const expectedOf = (expected: unknown): AppendExpectedRevision =>
  typeof expected === 'number' || /^\d+$/.test(expected as string)
    ? BigInt(expected as number)
    : (expected as AppendExpectedRevision);

const CREDENTIALS = { username: 'someone', password: 'ignored' }; // with them the client takes the classic call

const officialAppend = async (
  scene: Case,
  [stream, expected, specs, isClassic]: readonly [string, unknown, readonly EventSpec[], boolean],
): Promise<Appended> => {
  try {
    const { nextExpectedRevision, position } = await scene.store.client().appendToStream(
      stream,
      specs.map((spec) => eventOf(scene, spec)),
      { expectedRevision: expectedOf(expected), ...(isClassic && { credentials: CREDENTIALS }) },
    );
    return { kind: 'ok', next: `${nextExpectedRevision}`, commit: position?.commit.toString() };
  } catch (error) {
    const { type = 'unknown', actualVersion } = error as { type?: string; actualVersion?: unknown };
    return { kind: type, actual: String(actualVersion) };
  }
};

const spread = (value: string): string | number =>
  /^-?\d{1,15}$/.test(value) ? Number(value) : value;

/** Appends; `position` is given as the place of its event, to be found out later. */
export const append = async (
  scene: Case,
  stream: string,
  [expected, events, way]: readonly [unknown, unknown, unknown?],
): Promise<Appended> => {
  const specs = specsOf(events);
  const isRaw = specs.some(({ body, hex }) => body !== undefined || hex !== undefined);
  if (!isRaw)
    return officialAppend(scene, [scene.stream(stream), expected, specs, way === 'classic']);
  return appendRaw(
    scene.store.raw(),
    scene.stream(stream),
    String(expected),
    specs.map((spec) => ({
      id: scene.id(spec.id),
      type: spec.type ?? 't',
      data: bytesOf(spec),
      isJson: spec.binary !== true,
    })),
  );
};

/** An append's outcome in the words of the recordings, with the position as it came. */
export const wordsOf = (outcome: Appended): unknown[] => {
  if ('next' in outcome) return ['ok', spread(outcome.next), outcome.commit ?? null];
  const { kind, actual } = outcome;
  return kind === 'wrong-expected-version' && actual !== undefined
    ? [kind, spread(actual)]
    : [kind];
};

const deleting = async (
  scene: Case,
  how: 'deleteStream' | 'tombstoneStream',
  [stream, expected]: readonly [string, unknown],
) => {
  try {
    const expectedRevision = expectedOf(expected) as never;
    await scene.store.client()[how](scene.stream(stream), { expectedRevision });
    return ['ok'];
  } catch (error) {
    const { type = 'unknown', actualVersion } = error as { type?: string; actualVersion?: unknown };
    return type === 'wrong-expected-version' ? [type, Number(actualVersion)] : [type];
  }
};

export const remove = (scene: Case, how: string, stream: string, expected: unknown) =>
  deleting(scene, how === 'delete' ? 'deleteStream' : 'tombstoneStream', [stream, expected]);

let metadataCount = 0;

/** Writes bytes to the metadata stream. */
export const writeMetadata = async (
  scene: Case,
  [stream, expected, body, more = {}]: readonly [string, unknown, string, object?],
): Promise<unknown[]> => {
  const id = `meta-${metadataCount++}`;
  const event = { id, type: '$metadata', body, ...more };
  const [kind, next] = wordsOf(await append(scene, `$$${stream}`, [expected, [event]]));
  return kind === 'ok' ? [kind, next] : [kind];
};

type ReadArguments = readonly [direction?: string, from?: unknown, count?: number];

/** A read of a stream: revisions with ids, or the bodies of a metadata stream, or the kind of error. */
export const read = async (
  scene: Case,
  stream: string,
  [direction = 'forwards', from = 'start', count = 1_000_000]: ReadArguments,
) => {
  const events = await readAllOf(scene.store.raw(), {
    stream: scene.stream(stream),
    from: String(from),
    backwards: direction === 'backwards',
    count: `${count}`,
  });
  if (typeof events === 'string') return events;
  return events.map(({ event }) => event!);
};

/** Reads in words: `revision:id`, or `[revision, body]` of a metadata stream. */
export const readWords = async (
  scene: Case,
  stream: string,
  rest: ReadArguments,
): Promise<unknown> => {
  const events = await read(scene, stream, rest);
  if (typeof events === 'string') return events;
  if (stream.startsWith('$$'))
    return events.map(({ revision, data }) => [Number(revision), data.toString()]);
  return events.map(({ revision, id }) => `${revision}:${scene.letterOf(id)}`).join(' ');
};

/** Where to begin in `$all`. */
export const positionOf = async (scene: Case, from: unknown): Promise<Source['from']> => {
  if (from === undefined || from === 'start' || from === 'end') return from ?? 'start';
  if (typeof from === 'object' && !Array.isArray(from)) return from as Position;
  const [place, commit, prepare] = (Array.isArray(from) ? from : [from, 0, 0]) as [
    string,
    number,
    number,
  ];
  const at = place.lastIndexOf('@');
  const base = BigInt(
    await scene.store.positionOf(`${scene.stream(place.slice(0, at))}${place.slice(at)}`),
  );
  const clamp = (value: bigint) => (value < 0n ? 0n : value).toString();
  return { commit: clamp(base + BigInt(commit)), prepare: clamp(base + BigInt(prepare)) };
};

const ENOUGH = 100_000;

/** A read of `$all`: the events of this case, or exactly `count` events of anybody. */
export const readAllWords = async (
  scene: Case,
  [direction, from, count]: readonly [string, unknown, number],
  isExact: boolean,
): Promise<string> => {
  const events = await readAllOf(scene.store.raw(), {
    from: await positionOf(scene, from),
    backwards: direction === 'backwards',
    count: `${isExact ? count : ENOUGH}`,
  });
  if (typeof events === 'string') return events;
  const places = events.map(({ event }) => scene.localPlace(`${event!.stream}@${event!.revision}`));
  return isExact
    ? places.map((place) => place ?? 'other').join(' ')
    : places
        .filter((place) => place !== undefined)
        .slice(0, count)
        .join(' ');
};
