/** The bucket of a hash, 0 to total − 1. Exact in doubles while `total` is at most 2^20 (2^32 × 2^20 < 2^53). */
export const bucketOf = (hash: number, total: number): number =>
  Math.floor((hash * total) / 2 ** 32);

/** Running sums: the variant at an index owns the buckets below its sum and not below the one before. */
export const cumulated = (weights: readonly number[]): readonly number[] => {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
};

/** The index of the first share whose running sum exceeds the bucket; −1 when the shares end before it. */
export const shareAt = (sums: readonly number[], bucket: number): number => {
  for (let index = 0; index < sums.length; index += 1) {
    if ((sums[index] ?? 0) > bucket) return index;
  }
  return -1;
};
