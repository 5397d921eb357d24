import { type Command, type Decider, type Event } from '../../domain/decider.js';
import { aggregates } from './aggregates.js';
import { type EventStore } from './event-store.js';
import { FOLD_VERSION, type Snapshots, type StreamSnapshot } from './snapshots.js';

/** Where snapshots are kept. */
export type SnapshotTable = Pick<Snapshots, 'load'> &
  Readonly<{ save: (stream: string, snapshot: StreamSnapshot<unknown>) => Promise<void> }>;

/** Streams that wait for a snapshot; more are told of again when more comes into them. */
const MOST_WAITING = 1_000;

/** So that whoever is answered meanwhile does not wait. */
const PAGE_PAUSE_MS = 20;

/** How often a stream is read on that could not be read to its end. */
const ATTEMPTS = 3;

type Pause = (ms: number) => Promise<void>;

const patient = <T>(work: () => Promise<T>, pause: Pause): Promise<T> => {
  const attempt = async (left: number): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (left <= 1) throw error;
      await pause(PAGE_PAUSE_MS);
      return attempt(left - 1);
    }
  };
  return attempt(ATTEMPTS);
};

/**
 * Folds a stream to its end, from its last snapshot on. The store gives events as the log has them, with personal texts
 * sealed, so that a snapshot says no more of a person than the log does, also after an erasure.
 * @param isSealed false for a state in which a personal text is not: such a stream gets none
 */
export const snapshotOf =
  <S, E extends Event>(
    { store, table, pause }: Readonly<{ store: EventStore; table: SnapshotTable; pause: Pause }>,
    decider: Pick<Decider<S, Command, E, never>, 'initialState' | 'evolve'>,
    isSealed: (state: S) => boolean = () => true,
  ) =>
  async (stream: string): Promise<void> => {
    const slow: EventStore = {
      ...store,
      readPage: async (...asked) => {
        await pause(PAGE_PAUSE_MS);
        return store.readPage(...asked);
      },
    };
    const once = { load: table.load, take: () => undefined };
    const streams = aggregates(slow, decider, () => 0, once);
    const loaded = await patient(() => streams.load(stream, 0), pause);
    const { state, revision, position, eventId, commands, skipped } = loaded;
    if (!isSealed(state)) return;
    const place = { foldVersion: FOLD_VERSION, revision, position, eventId, skipped };
    await table.save(stream, { state, ...place, commands: commands.pack() });
  };

/**
 * Takes snapshots one after the other, until a pause rejects. `failed`: told of what went wrong; the stream goes without.
 */
export const snapshotQueue = (
  takeOne: (stream: string) => Promise<void>,
  pause: Pause,
  failed: (error: unknown, stream: string) => void,
) => {
  const waiting = new Set<string>();
  let working: Promise<void> | undefined;

  const workOff = async (): Promise<void> => {
    for (const stream of waiting) {
      // Whoever asked for it is answered first.
      await pause(PAGE_PAUSE_MS);
      waiting.delete(stream);
      await takeOne(stream).catch((error: unknown) => {
        failed(error, stream);
      });
    }
  };
  const work = async (): Promise<void> => {
    await workOff().catch(() => undefined);
    working = undefined;
  };

  return {
    take: (stream: string): void => {
      if (waiting.size >= MOST_WAITING) return;
      waiting.add(stream);
      working ??= work();
    },
    /** Once nothing is being taken. */
    ended: async (): Promise<void> => {
      await working;
    },
  };
};
