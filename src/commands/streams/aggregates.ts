import { type Decider, type Command, type Event } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type CommandIds, commandIds } from './command-ids.js';
import { type EventStore, NO_STREAM, type StreamPage } from './event-store.js';
import {
  NO_SNAPSHOTS,
  resumeAtSnapshot,
  SNAPSHOT_EVERY,
  type Snapshots,
  weightOf,
} from './snapshots.js';

/** A stream folded up to a revision. */
export type Loaded<S> = Readonly<{
  state: S;
  /** Revision of our last event; NO_STREAM without any. */
  revision: number;
  /** Where the stream stands: further than our last event when events of another application follow it. */
  head: number;
  /** Log position of our last event; -1 without any. */
  position: Position;
  /** Id of our last event; empty without any. */
  eventId: string;
  /** How many events of the stream were known to be skipped when it was begun to be read. */
  skipped: number;
  /** When the stream was last read or appended to, on the given clock. */
  checkedAtMs: number;
  commands: CommandIds;
  /** What it takes of the memory for all streams, in events. */
  held: number;
  /** What came since the last snapshot weighs so much. */
  unsaved: number;
  /** Tells what was read before `forgetAll` from what was read after it. */
  epoch: number;
}>;

type Fold<S, E extends Event> = Pick<Decider<S, Command, E>, 'initialState' | 'evolve'>;

/** Events held in memory over all streams before the least recently used streams are dropped. */
const MAX_EVENTS = 500_000;

/** Digests of commands that take the memory of what is remembered of one event. */
const DIGESTS_PER_EVENT = 8;

/** Streams that are kept although they were read in part only. */
const MAX_BEGUN = 100;

type Part<S> = Readonly<{ known: Loaded<S>; isEnd: boolean }>;

/**
 * Streams folded in memory, so that a command costs one append and no read. What is here may be behind the
 * log (another process writes too): the append's expected revision, and a refresh before every other answer, make that safe.
 * A stream that is long and not here is read on from its snapshot.
 */
export const aggregates = <S, E extends Event>(
  store: EventStore,
  { initialState, evolve }: Fold<S, E>,
  clock: () => number,
  snapshots: Snapshots = NO_SNAPSHOTS,
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
    held += loaded.held - (known?.held ?? 0);
    for (const [oldest, { held: freed }] of cache) {
      if (held <= MAX_EVENTS || oldest === stream) break;
      cache.delete(oldest);
      held -= freed;
    }
    return loaded;
  };

  /** Asks for a snapshot when enough has come since the last one, or since one was asked for. */
  const saved = (stream: string, loaded: Loaded<S>): Loaded<S> => {
    if (loaded.unsaved < SNAPSHOT_EVERY) return loaded;
    snapshots.take(stream);
    return { ...loaded, unsaved: 0 };
  };

  const remember = (stream: string, loaded: Loaded<S>): Loaded<S> =>
    loaded.epoch === epoch ? keep(stream, saved(stream, loaded)) : loaded;

  const nothingRead = (): Loaded<S> => ({
    state: initialState,
    revision: NO_STREAM,
    head: NO_STREAM,
    position: -1,
    eventId: '',
    skipped: Infinity,
    checkedAtMs: 0,
    commands: commandIds(),
    held: 0,
    unsaved: 0,
    epoch,
  });

  const folded = (known: Loaded<S>, page: Omit<StreamPage<E>, 'isEnd'>): Loaded<S> => {
    const { events, revision, skipped = 0 } = page;
    let { unsaved } = known;
    for (const event of events) {
      known.commands.add(event.metadata.commandId);
      unsaved += weightOf(event);
    }
    const last = events.at(-1);
    return {
      ...known,
      ...(last && { revision: last.revision, position: last.position, eventId: last.id }),
      state: events.reduce<S>(evolve, known.state),
      head: revision,
      skipped: Math.min(known.skipped, skipped),
      checkedAtMs: clock(),
      held: known.held + events.length,
      unsaved,
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

  const readOn = async (stream: string, known: Loaded<S>): Promise<Part<S>> => {
    const page = await store.readPage<E>(stream, known.head + 1);
    return { known: folded(known, page), isEnd: page.isEnd };
  };

  const resume = async (stream: string): Promise<Part<S> | undefined> => {
    const nothing = nothingRead();
    const resumed = await resumeAtSnapshot<S, E>(store, snapshots, stream);
    if (resumed === undefined) return undefined;
    const { state, revision, position, eventId, commands } = resumed.snapshot;
    const known = {
      ...nothing,
      ...{ state, revision, position, eventId },
      head: revision,
      commands: commandIds(commands),
      held: commands.length / DIGESTS_PER_EVENT,
    };
    return { known: folded(known, resumed.page), isEnd: resumed.page.isEnd };
  };

  /** Most streams are one page. */
  const begin = async (stream: string): Promise<Part<S>> => {
    const begun = await readOn(stream, nothingRead());
    return begun.isEnd ? begun : ((await resume(stream)) ?? begun);
  };

  const read = async (stream: string): Promise<Loaded<S>> => {
    const before = cache.get(stream) ?? begun.get(stream);
    let part = before === undefined ? await begin(stream) : await readOn(stream, before);
    while (!part.isEnd) {
      keepBegun(stream, part.known);
      part = await readOn(stream, part.known);
    }
    begun.delete(stream);
    return remember(stream, part.known);
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
    snapshots,
    remember,
    /** Nothing is answered from memory before the stream was read on from there. */
    readOn: (stream: string): void => {
      const known = cache.get(stream);
      if (known !== undefined) keepBegun(stream, known);
      held -= known?.held ?? 0;
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
  snapshots: Snapshots;
  remember: (stream: string, loaded: Loaded<S>) => Loaded<S>;
  readOn: (stream: string) => void;
  forgetAll: () => void;
}>;
