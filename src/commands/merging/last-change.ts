import { type Event } from '../../domain/decider.js';
import { type Json, sameJson } from '../../domain/json.js';
import { type MergeBase } from '../../domain/merge-base.js';
import { type Recorded } from '../../domain/recorded.js';
import { type Conflict, type Field, type LastChange } from './three-way.js';

type Fold<S, E extends Event> = Readonly<{ initialState: S; evolve: (state: S, event: E) => S }>;

/** The last event that changed what `read` sees; undefined when none did. */
const lastChange = <S, E extends Event>(
  history: readonly Recorded<E>[],
  { initialState, evolve }: Fold<S, E>,
  read: (state: S) => Json,
): LastChange | undefined => {
  let [state, value] = [initialState, read(initialState)];
  let found: Recorded<E> | undefined;
  for (const event of history) {
    state = evolve(state, event);
    const next = read(state);
    if (!sameJson(value, next)) found = event;
    value = next;
  }
  if (found === undefined) return undefined;
  const { metadata, recordedAt: changedAt, revision } = found;
  return { changedBy: metadata.actor, changedAt, revision };
};

/** Conflicts with who changed what is here, and when. */
export const withLastChanges = <S, E extends Event>(
  fields: readonly Field[],
  history: readonly Recorded<E>[],
  fold: Fold<S, E> & Readonly<{ read: (state: S, field: string) => Json }>,
): readonly Conflict[] =>
  fields.map(({ name: field, theirs, mine, closed }) => ({
    field,
    theirs,
    mine,
    ...(closed === undefined ? {} : { why: closed }),
    ...lastChange(history, fold, (state) => fold.read(state, field)),
  }));

/** What the last import remembered of every field. */
export const importedBase = (history: readonly Event[]): MergeBase =>
  history.reduce<MergeBase>(
    (base, { type, data }) =>
      type === 'FlagImported' || type === 'SegmentImported'
        ? { ...base, ...(data as { fields: MergeBase }).fields }
        : base,
    {},
  );
