import type { Expected } from '../wire/requests.js';

/** Where an event with a known id is. */
export type Place = Readonly<{ revision: number; position: number }>;

/** What the decision needs to know of a stream, with everything accepted so far, committed or not. */
export type StreamFacts = Readonly<{
  last: number;
  isTombstoned: boolean;
  isSoftDeleted: boolean;
  hasMetadata: boolean;
  recentPlaceOf: (id: string) => Place | undefined;
  storedAt: (revision: number) => (Place & Readonly<{ id: string }>) | undefined;
}>;

/**
 * `repeat`: these events are stored already, the last of them at `place`. `reordered`: stored already, but
 * the last of them so far before the first that a real server never answers.
 */
export type Decision =
  | Readonly<{ kind: 'append' }>
  | Readonly<{ kind: 'repeat'; place: Place }>
  | Readonly<{ kind: 'wrong-revision' }>
  | Readonly<{ kind: 'stream-deleted' }>
  | Readonly<{ kind: 'reordered' }>;

const APPEND: Decision = { kind: 'append' };
const WRONG: Decision = { kind: 'wrong-revision' };
const DELETED: Decision = { kind: 'stream-deleted' };
const REORDERED: Decision = { kind: 'reordered' };

/** `any` and `stream_exists`: best effort over the recently written ids of the stream. */
const decideByRecentIds = (ids: readonly string[], facts: StreamFacts): Decision => {
  const places: Place[] = [];
  for (const [index, id] of ids.entries()) {
    const known = facts.recentPlaceOf(id);
    if (!known) return index === 0 ? APPEND : WRONG;
    places.push(known);
  }
  const [first, last] = [places[0], places.at(-1)];
  if (!first || !last) return APPEND;
  return last.revision < first.revision - 1 ? REORDERED : { kind: 'repeat', place: last };
};

/** A revision before the last one: a repeat when exactly these ids follow it in the stream. */
const decideByStoredIds = (ids: readonly string[], facts: StreamFacts, after: number): Decision => {
  let place: Place | undefined;
  for (const [index, id] of ids.entries()) {
    const stored = facts.storedAt(after + 1 + index);
    if (stored?.id !== id)
      return index === 0 && after === -1 && facts.isSoftDeleted ? APPEND : WRONG;
    place = stored;
  }
  return place ? { kind: 'repeat', place } : WRONG;
};

/** What a stream's deletion and existence forbid, before its revisions are compared. */
const decideByExistence = (expected: Expected, facts: StreamFacts): Decision | undefined => {
  if (facts.isTombstoned) return DELETED;
  if (expected !== 'stream_exists') return undefined;
  if (facts.isSoftDeleted) return DELETED;
  return facts.last < 0 && !facts.hasMetadata ? WRONG : undefined;
};

const decideByRevision = (after: number, ids: readonly string[], facts: StreamFacts): Decision => {
  if (after === facts.last) return APPEND;
  return after > facts.last ? WRONG : decideByStoredIds(ids, facts, after);
};

/**
 * Whether events with these ids may be appended. Source: section 3.1 of the protocol notes, in its
 * order: tombstone, `stream_exists`, recently seen ids, then explicit revisions.
 */
export const decideAppend = (
  expected: Expected,
  ids: readonly string[],
  facts: StreamFacts,
): Decision => {
  const decision = decideByExistence(expected, facts);
  if (decision) return decision;
  if (expected === 'any' || expected === 'stream_exists') return decideByRecentIds(ids, facts);
  return decideByRevision(expected === 'no_stream' ? -1 : Number(expected), ids, facts);
};
