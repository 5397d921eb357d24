/** `size`: bytes of a state that comes with the row; null without one. */
type SizedRow = Readonly<{ size: number | null }>;

/** States may be of a megabyte, and a row has one before and one after a change. */
const SLICE = { first: 8, most: 64, bytes: 2 * 2 ** 20 } as const;

const nextCount = (rows: readonly SizedRow[]): number => {
  const bytes = rows.reduce((sum, { size }) => sum + 2 * (size ?? 0), 0);
  const fitting = Math.floor((SLICE.bytes * rows.length) / Math.max(1, bytes));
  return Math.min(SLICE.most, Math.max(1, fitting));
};

/**
 * Rows in some order, a slice at a time: large ones are few. In between others have their turn.
 * @param read up to so many rows behind one that was read; undefined: from the beginning
 */
export async function* slices<Row extends SizedRow>(
  read: (after: Row | undefined, count: number) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  let after: Row | undefined;
  for (let count: number = SLICE.first; ;) {
    const rows = await read(after, count);
    if (rows.length > 0) yield rows;
    if (rows.length < count) return;
    after = rows.at(-1);
    count = nextCount(rows);
  }
}
