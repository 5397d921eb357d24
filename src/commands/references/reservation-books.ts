import { dependenciesStream } from '../../domain/streams.js';
import { type EventStore } from '../event-store.js';
import { type Reservations, reservations } from './reservations.js';

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
