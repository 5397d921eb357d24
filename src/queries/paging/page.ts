import { encodeCursor, type Scope, type SortKeys } from './cursor.js';

/** One page of a list; `nextCursor` is null on the last one. */
export type Page<T> = Readonly<{ items: readonly T[]; nextCursor: string | null }>;

export const DEFAULT_LIMIT = 50;

/** From up to `limit + 1` rows: the row too many only tells that there is more. */
export const pageOf = <Row>(
  rows: readonly Row[],
  limit: number,
  scope: Scope,
  keysOf: (row: Row) => SortKeys,
): Page<Row> => {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return { items, nextCursor: isMore ? encodeCursor(scope, keysOf(last)) : null };
};
