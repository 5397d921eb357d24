import type { Place } from './expected-revision.js';

/** An event id without its hyphens: how ids are compared and, as bytes, stored. */
export const idHex = (id: string): string => id.replaceAll('-', '');

/**
 * The places of recently written events by `idHex`; empty after a restart. As on a real server an id is
 * remembered once for the whole log, where it was written first: in any other stream it is unknown.
 */
export type RecentIds = Readonly<{
  add: (stream: number, id: string, place: Place) => void;
  /** Takes back an event that was dropped; where the id was written before stays known. */
  forget: (id: string, position: number) => void;
  placeOf: (stream: number, id: string) => Place | undefined;
}>;

/** A real server gives 8 MiB to this memory: 100 000 to 150 000 ids, first in, first out. */
const KEPT_IDS = 100_000;

/** A bounded memory of written ids. */
export const recentIds = (): RecentIds => {
  const places = new Map<string, Place & Readonly<{ stream: number }>>();
  return {
    add: (stream, id, place) => {
      if (places.has(id)) return;
      places.set(id, { ...place, stream });
      if (places.size <= KEPT_IDS) return;
      for (const oldest of places.keys()) {
        places.delete(oldest);
        return;
      }
    },
    placeOf: (stream, id) => {
      const place = places.get(id);
      return place?.stream === stream ? place : undefined;
    },
    forget: (id, position) => {
      if (places.get(id)?.position === position) places.delete(id);
    },
  };
};
