import { createHash } from 'node:crypto';

/** Two commands of a stream have one digest with a chance of one in 2^64. */
const digestOf = (commandId: string): bigint =>
  createHash('sha256').update(commandId).digest().readBigUInt64LE();

/** Digests in order, 8 bytes each. */
export type PackedIds = BigUint64Array;

/** Digests that are not packed yet take some 50 bytes each. */
const MOST_LOOSE = 65_536;

const isIn = (packed: PackedIds, digest: bigint): boolean => {
  let [low, high] = [0, packed.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((packed[middle] ?? 0n) < digest) low = middle + 1;
    else high = middle;
  }
  return packed[low] === digest;
};

const withLoose = (packed: PackedIds, loose: ReadonlySet<bigint>): PackedIds => {
  const all = new BigUint64Array(packed.length + loose.size);
  all.set(packed);
  let next = packed.length;
  for (const digest of loose) all[next++] = digest;
  return all.sort();
};

/** The ids of the commands in a stream, by their digests. */
export const commandIds = (from: PackedIds = new BigUint64Array()) => {
  const loose = new Set<bigint>();
  let packed = from;
  let last = '';
  return {
    add: (commandId: string): void => {
      // The events of a command follow each other.
      if (commandId === last) return;
      last = commandId;
      loose.add(digestOf(commandId));
      if (loose.size < MOST_LOOSE) return;
      packed = withLoose(packed, loose);
      loose.clear();
    },
    has: (commandId: string): boolean => {
      const digest = digestOf(commandId);
      return loose.has(digest) || isIn(packed, digest);
    },
    pack: (): PackedIds => withLoose(packed, loose),
  };
};

export type CommandIds = ReturnType<typeof commandIds>;
