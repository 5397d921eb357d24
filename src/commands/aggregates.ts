import { type Decider, type Command, type Event } from '../domain/decider.js';
import { type Recorded } from '../domain/recorded.js';
import { type EventStore, NO_STREAM } from './event-store.js';

/** A stream folded up to a revision. `commands` maps the id of every command in it to its hash. */
export type Loaded<S> = Readonly<{
  state: S;
  /** Of our last event; NO_STREAM without any. */
  revision: number;
  /** Where the stream stands: further than our last event when events of another application follow it. */
  head: number;
  /** Log position of the last event; -1 for a stream without events. */
  position: number;
  /** When the stream was last read or appended to, on the given clock. */
  checkedAtMs: number;
  commands: Map<string, string>;
  /** Tells what was read before `forgetAll` from what was read after it. */
  epoch: number;
}>;

type Fold<S, E extends Event> = Pick<Decider<S, Command, E>, 'initialState' | 'evolve'>;

/** Events held in memory over all streams before the least recently used streams are dropped. */
const MAX_EVENTS = 500_000;

/** Streams that are kept although they were read in part only. */
const MAX_BEGUN = 100;

/**
 * Streams folded in memory, so that a command costs one append and no read. What is here may be behind the
 * log (another process writes too): the append's expected revision, and a refresh before every other answer, make that safe.
 */
export const aggregates = <S, E extends Event>(
  store: EventStore,
  { initialState, evolve }: Fold<S, E>,
  clock: () => number,
) => {
  const cache = new Map<string, Loaded<S>>();
  /** Reads under way, for those who may be told what a read says that was begun before they asked. */
  const reading = new Map<string, Readonly<{ beganAtMs: number; loaded: Promise<Loaded<S>> }>>();
  /** Streams that were read in part. */
  const begun = new Map<string, Loaded<S>>();
  let held = 0;
  let epoch = 0;

  const keep = (stream: string, loaded: Loaded<S>): Loaded<S> => {
    const known = cache.get(stream);
    if (known !== undefined && known.head > loaded.head) return known;
    cache.delete(stream);
    cache.set(stream, loaded);
    held += loaded.head - (known?.head ?? NO_STREAM);
    for (const [oldest, { head }] of cache) {
      if (held <= MAX_EVENTS || oldest === stream) break;
      cache.delete(oldest);
      held -= head + 1;
    }
    return loaded;
  };

  const remember = (stream: string, loaded: Loaded<S>): Loaded<S> =>
    loaded.epoch === epoch ? keep(stream, loaded) : loaded;

  const nothingRead = (): Loaded<S> => ({
    state: initialState,
    revision: NO_STREAM,
    head: NO_STREAM,
    position: -1,
    checkedAtMs: 0,
    commands: new Map(),
    epoch,
  });

  const folded = (known: Loaded<S>, events: readonly Recorded<E>[], head: number): Loaded<S> => {
    for (const { metadata } of events) {
      known.commands.set(metadata.commandId, metadata.commandHash);
    }
    const last = events.at(-1);
    return {
      ...known,
      state: events.reduce<S>(evolve, known.state),
      revision: last?.revision ?? known.revision,
      head,
      position: last?.position ?? known.position,
      checkedAtMs: clock(),
    };
  };

  /** What was read is kept, so that a read that fails or takes too long for a command goes on where it stopped. */
  const keepBegun = (stream: string, loaded: Loaded<S>): void => {
    if (loaded.epoch !== epoch) return;
    begun.delete(stream);
    begun.set(stream, loaded);
    for (const oldest of begun.keys()) {
      if (begun.size <= MAX_BEGUN) break;
      begun.delete(oldest);
    }
  };

  const read = async (stream: string): Promise<Loaded<S>> => {
    let known = cache.get(stream) ?? begun.get(stream) ?? nothingRead();
    for (;;) {
      const { events, revision, isEnd } = await store.readPage<E>(stream, known.head + 1);
      known = folded(known, events, revision);
      if (isEnd) break;
      keepBegun(stream, known);
    }
    begun.delete(stream);
    return remember(stream, known);
  };

  const readOnce = async (stream: string): Promise<Loaded<S>> => {
    const mine = { beganAtMs: clock(), loaded: read(stream) };
    reading.set(stream, mine);
    try {
      return await mine.loaded;
    } finally {
      if (reading.get(stream) === mine) reading.delete(stream);
    }
  };

  return {
    /** From memory when it was checked within `maxAgeMs`, else brought up to date from the log. */
    load: async (stream: string, maxAgeMs = Infinity): Promise<Loaded<S>> => {
      const known = cache.get(stream);
      if (known !== undefined && clock() - known.checkedAtMs < maxAgeMs) return known;
      const under = reading.get(stream);
      if (under !== undefined && clock() - under.beganAtMs < maxAgeMs) return under.loaded;
      return readOnce(stream);
    },
    /** From memory; a stream that is not there is taken to have no events. */
    assumeNew: (stream: string): Loaded<S> => cache.get(stream) ?? nothingRead(),
    remember,
    /** Nothing is answered from memory before the stream was read on from there. */
    readOn: (stream: string): void => {
      const known = cache.get(stream);
      if (known !== undefined) keepBegun(stream, known);
      held -= (known?.head ?? NO_STREAM) + 1;
      cache.delete(stream);
      reading.delete(stream);
    },
    /** Drops every stream, and what is being read or decided on now when it comes. */
    forgetAll: (): void => {
      epoch += 1;
      held = 0;
      cache.clear();
      begun.clear();
      reading.clear();
    },
  };
};

export type Aggregates<S> = Readonly<{
  load: (stream: string, maxAgeMs?: number) => Promise<Loaded<S>>;
  assumeNew: (stream: string) => Loaded<S>;
  remember: (stream: string, loaded: Loaded<S>) => Loaded<S>;
  readOn: (stream: string) => void;
  forgetAll: () => void;
}>;
