import { LRUCache } from 'lru-cache';
import type { Place } from './expected-revision.js';

/** An event id without its hyphens: how ids are compared and, as bytes, stored. */
export const idHex = (id: string): string => id.replaceAll('-', '');

/** The places of recently written events by stream key and `idHex`; empty after a restart, like the real server's. */
export type RecentIds = Readonly<{
  add: (stream: number, id: string, place: Place) => void;
  placeOf: (stream: number, id: string) => Place | undefined;
}>;

/** About what fits the 8 MiB a real server gives to this cache. */
const KEPT_IDS = 65_536;

/** A bounded memory of written ids. */
export const recentIds = (): RecentIds => {
  const places = new LRUCache<string, Place>({ max: KEPT_IDS });
  return {
    add: (stream, id, place) => {
      places.set(`${stream}:${id}`, place);
    },
    placeOf: (stream, id) => places.get(`${stream}:${id}`),
  };
};
