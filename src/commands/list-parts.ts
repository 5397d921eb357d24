import { setDifference } from '../domain/targeting/key-lists.js';

/** Keys by the list that they are in. */
export type Lists = ReadonlyMap<string, readonly string[]>;

/**
 * What one event carries of lists, in characters as they are stored: sealed text is longer than its plain text. Events
 * stay far under what any event store takes, and reading one is quick.
 */
const PART_SIZE = 128 * 1024;

const storedSize = (key: string): number => 60 + 2 * key.length;

const sizeOf = (lists: Lists): number => {
  let size = 0;
  for (const keys of lists.values()) for (const key of keys) size += storedSize(key);
  return size;
};

/** Whether one event can carry all of it. */
export const fitsOneEvent = (lists: Lists): boolean => sizeOf(lists) <= PART_SIZE;

/** The lists in parts that each fit an event; none when there are no keys. */
export const inParts = (lists: Lists): readonly Lists[] => {
  const parts: Map<string, string[]>[] = [];
  let left = 0;
  for (const [list, keys] of lists) {
    for (const key of keys) {
      left -= storedSize(key);
      if (left < 0) {
        parts.push(new Map());
        left = PART_SIZE - storedSize(key);
      }
      const part = parts.at(-1);
      const begun = part?.get(list);
      if (begun === undefined) part?.set(list, [key]);
      else begun.push(key);
    }
  }
  return parts;
};

/** What leaves and what comes into lists when these become those. The order of keys is no change. */
export const listChanges = (
  before: Lists,
  after: Lists,
): Readonly<{ removed: readonly Lists[]; added: readonly Lists[] }> => {
  const gone = [...before].map(
    ([list, keys]) => [list, setDifference(keys, after.get(list) ?? []).removed] as const,
  );
  const come = [...after].map(
    ([list, keys]) => [list, setDifference(before.get(list) ?? [], keys).added] as const,
  );
  return { removed: inParts(new Map(gone)), added: inParts(new Map(come)) };
};
