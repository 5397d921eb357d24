import { type Change } from '../../domain/changes.js';
import { type HeldState } from './held-states.js';
import { type Replayed } from './replay.js';

/** Where the read model and the log do not agree. A revision is null where there is no state. */
export type Discrepancy = Readonly<{
  /** Null for the project itself, and for a segment. */
  flag: string | null;
  /** Of a segment only. */
  segment?: string;
  readModelRevision: number | null;
  logRevision: number | null;
  /** From what the read model has to what the log says. */
  changes: readonly Change[];
}>;

const heldInLog = <State>(replayed: Replayed<State>): HeldState<State> | undefined => {
  if (replayed.found !== 'state') return undefined;
  const { state, last } = replayed;
  return { state, revision: last.revision, position: last.position };
};

const revisionOf = (held: HeldState<unknown> | undefined): number | null => held?.revision ?? null;

const placeOf = (held: HeldState<unknown> | undefined): string =>
  held === undefined ? 'nowhere' : `${held.revision} at ${held.position}`;

/** At most one: where the read model does not hold what the log says. */
export const discrepancies = <State>(
  entity: Pick<Discrepancy, 'flag' | 'segment'>,
  held: HeldState<State> | undefined,
  replayed: Replayed<State>,
  changesOf: (before: State | undefined, after: State | undefined) => readonly Change[],
): readonly Discrepancy[] => {
  const logged = heldInLog(replayed);
  const changes = changesOf(held?.state, logged?.state);
  if (changes.length === 0 && placeOf(held) === placeOf(logged)) return [];
  return [
    { ...entity, readModelRevision: revisionOf(held), logRevision: revisionOf(logged), changes },
  ];
};
