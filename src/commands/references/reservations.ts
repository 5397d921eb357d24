import { type DependencyReserved, type Node, nodeId } from '../../domain/references.js';
import { dependenciesStream } from '../../domain/streams.js';
import { type EventStore, NO_STREAM, type StreamSlice } from '../streams/event-store.js';

export type Reservation = DependencyReserved['data'];

/**
 * The reservations of one project, as far as its stream has been read. Of each node only those of the highest revision
 * are kept: that somebody reserved at it shows that the node's stream had moved past all lower ones.
 */
const reservations = (store: EventStore, stream: string) => {
  const latest = new Map<string, Reservation[]>();
  const dependants = new Map<string, Map<string, Node>>();
  let revision = NO_STREAM;

  const keep = (reservation: Reservation): void => {
    const id = nodeId(reservation.node);
    const known = latest.get(id) ?? [];
    const highest = known[0]?.revision ?? NO_STREAM;
    if (reservation.revision >= highest) {
      const others = reservation.revision > highest ? [] : known;
      latest.set(id, [...others, reservation]);
    }
    for (const required of reservation.requires) {
      const ofRequired = dependants.get(nodeId(required)) ?? new Map<string, Node>();
      dependants.set(nodeId(required), ofRequired.set(id, reservation.node));
    }
  };

  /** Two reads at a time may bring the same events. A slice ends at the stream's end, whoever wrote there. */
  const take = (slice: StreamSlice<DependencyReserved>): void => {
    for (const event of slice.events) if (event.revision > revision) keep(event.data);
    revision = Math.max(revision, slice.revision);
  };

  return {
    /** Reads on to where the stream ends now. @returns its last revision, or NO_STREAM */
    refresh: async (): Promise<number> => {
      for (;;) {
        const page = await store.readPage<DependencyReserved>(stream, revision + 1);
        take(page);
        if (page.isEnd) return revision;
      }
    },
    /** Those that may still lead to an append on the node's stream, which stands at this revision. */
    pending: (node: Node, nodeRevision: number): readonly Reservation[] =>
      (latest.get(nodeId(node)) ?? []).filter((one) => one.revision >= nodeRevision),
    /** All that ever reserved a reference to it: whoever refers to it is among them. */
    everDependants: (node: Node): readonly Node[] => [
      ...(dependants.get(nodeId(node))?.values() ?? []),
    ],
  };
};

export type Reservations = ReturnType<typeof reservations>;

/** Projects whose reservations are remembered; the others are read again from the beginning. */
const MAX_PROJECTS = 1_000;

/** The reservations of a project, by its id; as far as they have been read. */
export const reservationBooks = (store: EventStore) => {
  const books = new Map<string, Reservations>();

  return (projectId: string): Reservations => {
    const stream = dependenciesStream(projectId);
    const book = books.get(stream) ?? reservations(store, stream);
    books.delete(stream);
    books.set(stream, book);
    for (const oldest of books.keys()) {
      if (books.size <= MAX_PROJECTS) break;
      books.delete(oldest);
    }
    return book;
  };
};

export type ReservationBooks = ReturnType<typeof reservationBooks>;
