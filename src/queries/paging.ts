import { createHash } from 'node:crypto';
import { DomainError } from '../domain/decider.js';
import { canonicalJson, type JsonObject } from '../domain/json.js';
import { isPosition } from '../domain/position.js';

/** SQL conditions joined by `and`, and the values of their parameters ($1 and on). */
export type Conditions = Readonly<{ sql: string; values: readonly unknown[] }>;

/** A condition on one value; `sql` is told the name of its parameter. */
export type Condition = Readonly<{ sql: (parameter: string) => string; value: unknown }>;

export const equal = (column: string, value: unknown): Condition => ({
  sql: (parameter) => `${column} = ${parameter}`,
  value,
});

/** Only those with a value: Postgres then plans with the index that fits what is asked. */
export const conditions = (wanted: readonly Condition[]): Conditions => {
  const given = wanted.filter(({ value }) => value !== undefined);
  return {
    sql: given.map(({ sql }, index) => sql(`$${index + 1}`)).join('\n and '),
    values: given.map(({ value }) => value),
  };
};

/** Values of the sort keys of a page's last row, numbers being integers from 0, positions as in JSON; the next page begins after them. */
type SortKeys = readonly (string | number)[];

/** The question that a cursor belongs to: its filters and order, without `limit` and `cursor`. */
export type Scope = Readonly<Record<string, unknown>>;

const SCOPE_LENGTH = 12;

const digest = (scope: Scope): string => {
  // Through JSON text, so that an absent and an undefined filter are the same.
  const plain = JSON.parse(JSON.stringify(scope)) as JsonObject;
  const hash = createHash('sha256').update(canonicalJson(plain)).digest('base64url');
  return hash.slice(0, SCOPE_LENGTH);
};

/** Opaque to callers: base64url of JSON. */
export const encodeCursor = (scope: Scope, after: SortKeys): string =>
  Buffer.from(JSON.stringify([digest(scope), ...after])).toString('base64url');

const parsed = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
};

// Whoever forges a cursor must not reach Postgres with a value that it refuses.
const isSortKey = (value: unknown, type: string): value is string | number =>
  typeof value === 'string'
    ? (type === 'string' && !value.includes('\0')) || (type === 'position' && isPosition(value))
    : type !== 'string' && Number.isSafeInteger(value) && Number(value) >= 0;

/**
 * The sort keys to go on after, of these types.
 * @throws DomainError invalid-cursor when it is not one of ours, or of another question
 */
export const decodeCursor = (
  scope: Scope,
  cursor: string,
  types: readonly ('string' | 'number' | 'position')[],
): SortKeys => {
  const value = parsed(cursor);
  const [of, ...after] = Array.isArray(value) ? (value as unknown[]) : [];
  const keys = after.filter((key, n): key is string | number => isSortKey(key, types[n] ?? ''));
  if (of === digest(scope) && keys.length === types.length && after.length === keys.length) {
    return keys;
  }
  throw new DomainError(
    'invalid-cursor',
    'This cursor does not belong to this list: use "nextCursor" with the same filters and order.',
  );
};

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
