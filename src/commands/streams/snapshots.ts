import { type Event } from '../../domain/decider.js';
import { sizeOf } from '../../domain/json.js';
import { type Position } from '../../domain/position.js';
import { type PackedIds } from './command-ids.js';
import { type EventStore, type StreamPage } from './event-store.js';

/** To be raised with every change of a fold that gives another state for the same events. */
export const FOLD_VERSION = 1;

/** A stream that weighs so much more than its last snapshot gets a new one. */
export const SNAPSHOT_EVERY = 1_000;

/** Characters of JSON that weigh as much as an event does by itself. */
const PER_EVENT = 4 * 1024;

/** What it costs to read and fold an event, in small events. */
export const weightOf = ({ data }: Event): number => 1 + sizeOf(data) / PER_EVENT;

/** The state of a stream up to and with one of its events. */
export type StreamSnapshot<S> = Readonly<{
  state: S;
  foldVersion: number;
  /** Time of that event; `position` and `eventId` are its own, too. */
  revision: number;
  position: Position;
  eventId: string;
  /** How many events of the stream were known to be skipped; snapshots of earlier versions do not say. */
  skipped?: number;
  /** Ids of all commands up to there. */
  commands: PackedIds;
}>;

/** Port to the states of long streams that are kept outside the log. Whatever is lost there is made again from the log. */
export type Snapshots = Readonly<{
  /** Undefined when there is none, or none that can be read. @throws only what a page of the stream throws as well */
  load: <S>(stream: string) => Promise<StreamSnapshot<S> | undefined>;
  /** Has one taken, in its own time. */
  take: (stream: string) => void;
}>;

export const NO_SNAPSHOTS: Snapshots = { load: async () => undefined, take: () => undefined };

type Resumed<S, E extends Event> = Readonly<{
  snapshot: StreamSnapshot<S>;
  /** What comes after the snapshot. */
  page: StreamPage<E>;
}>;

type LeavingOut = Readonly<{ skipped?: number }>;

/** What is skipped is only ever more. */
const leavesOutTheSame = ({ skipped: then = 0 }: LeavingOut, { skipped: now = 0 }: LeavingOut) =>
  then === now;

/** The snapshot of a stream, if the stream has the very event that it was taken at. */
export const resumeAtSnapshot = async <S, E extends Event>(
  store: Pick<EventStore, 'readPage'>,
  snapshots: Pick<Snapshots, 'load'>,
  stream: string,
): Promise<Resumed<S, E> | undefined> => {
  const snapshot = await snapshots.load<S>(stream);
  if (snapshot?.foldVersion !== FOLD_VERSION) return undefined;
  const page = await store.readPage<E>(stream, snapshot.revision);
  const [last, ...events] = page.events;
  const isOfStream =
    last?.id === snapshot.eventId &&
    last.revision === snapshot.revision &&
    last.position === snapshot.position;
  return isOfStream && leavesOutTheSame(snapshot, page)
    ? { snapshot, page: { ...page, events } }
    : undefined;
};
