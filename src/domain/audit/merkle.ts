import { createHash } from 'node:crypto';

const LEAF = Buffer.of(0);
const INNER = Buffer.of(1);

const leafHash = (hex: string): Buffer =>
  createHash('sha256').update(LEAF).update(Buffer.from(hex, 'hex')).digest();

const innerHash = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update(INNER).update(left).update(right).digest();

const EMPTY = createHash('sha256').digest('hex');

type Subtree = Readonly<{ size: number; hash: Buffer }>;

/** A Merkle tree (RFC 9162, 2.1.1) that grows a leaf at a time and holds log₂ n hashes. Leaves and root are hex. */
export const growingTree = () => {
  const subtrees: Subtree[] = [];
  return {
    add: (leaf: string): void => {
      let grown: Subtree = { size: 1, hash: leafHash(leaf) };
      for (let last = subtrees.at(-1); last?.size === grown.size; last = subtrees.at(-1)) {
        grown = { size: 2 * grown.size, hash: innerHash(last.hash, grown.hash) };
        subtrees.pop();
      }
      subtrees.push(grown);
    },
    root: (): string => {
      if (subtrees.length === 0) return EMPTY;
      const hashes = subtrees.map(({ hash }) => hash);
      return hashes.reduceRight((right, left) => innerHash(left, right)).toString('hex');
    },
  };
};

export type GrowingTree = ReturnType<typeof growingTree>;

/** The root over leaves (hex), as hex. */
export const merkleRoot = (leaves: readonly string[]): string => {
  const tree = growingTree();
  for (const leaf of leaves) tree.add(leaf);
  return tree.root();
};

/** The largest power of two below n, for n > 1. */
const leftSize = (n: number): number => 2 ** (31 - Math.clz32(n - 1));

/** What leads from the leaf at `index` (from 0) to the root: hashes (hex) from the bottom up. RFC 9162, 2.1.3.1. */
export const inclusionPath = (leaves: readonly string[], index: number): readonly string[] => {
  if (leaves.length < 2) return [];
  const k = leftSize(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k
    ? [...inclusionPath(left, index), merkleRoot(right)]
    : [...inclusionPath(right, index - k), merkleRoot(left)];
};
