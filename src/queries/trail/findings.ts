import { type Position } from '../../domain/position.js';
/**
 * What is wrong with one event. Altered: its content is not what was written. Moved: it is elsewhere in the log than it
 * was. Inserted: it was not there when its place was written. Missing: it is not there any more.
 */
export type FindingKind = 'altered' | 'moved' | 'inserted' | 'missing';

type Place = Readonly<{
  position: Position;
  stream: string;
  revision: number;
  type: string;
  id: string;
}>;

/** The place is that where the event was written; of an inserted one, where it is. */
export type Finding = Place & Readonly<{ kind: FindingKind }>;

/** The first of the findings in log order, and how many there are. */
export type Tally = Readonly<{ found: number; first: Finding | null }>;

export const NOTHING: Tally = { found: 0, first: null };

const placeOf = ({ position, stream, revision, type, id }: Place): Place => ({
  position,
  stream,
  revision,
  type,
  id,
});

const earlier = (first: Finding | null, other: Finding): Finding =>
  first === null || other.position < first.position ? other : first;

const tallied = (tally: Tally, kind: FindingKind | 'new', event: Place): Tally => ({
  found: tally.found + 1,
  first: kind === 'new' ? null : earlier(tally.first, { kind, ...placeOf(event) }),
});

type Side = 'logged' | 'witnessed';
type Lone = Readonly<{ side: Side; event: Place }>;
type LoneKind = 'inserted' | 'missing' | 'new';
const NONE: Readonly<Record<LoneKind, Tally>> = {
  inserted: NOTHING,
  missing: NOTHING,
  new: NOTHING,
};

/** Events that only one side has so far; what is above is not matched any more, only counted. */
const MOST_LONE = 50_000;

const keyOf = ({ stream, id }: Place): string => `${stream}\n${id}`;

export const isSameEvent = (left: Place, right: Place): boolean => keyOf(left) === keyOf(right);

/** Both together; of two at one position the first named comes first. */
export const sum = (...tallies: readonly Tally[]): Tally =>
  tallies.reduce(
    ({ found, first }, other) => ({
      found: found + other.found,
      first: other.first === null ? first : earlier(first, other.first),
    }),
    NOTHING,
  );

/**
 * Collects what differs between the log and a read model that stands at `upTo`, in bounded memory.
 * Behind that, what only the log has is new.
 */
export const findings = (upTo: Position) => {
  const lone = new Map<string, Lone>();
  let changed = NOTHING;
  let surplus: Readonly<Record<LoneKind, Tally>> = NONE;

  const kindOf = ({ side, event }: Lone): LoneKind => {
    if (side === 'witnessed') return 'missing';
    return event.position > upTo ? 'new' : 'inserted';
  };
  const counted = (tallies: typeof surplus, one: Lone): typeof surplus => {
    const kind = kindOf(one);
    return { ...tallies, [kind]: tallied(tallies[kind], kind, one.event) };
  };
  const strand = (side: Side, event: Place): void => {
    const other = lone.get(keyOf(event));
    if (other !== undefined && other.side !== side) {
      lone.delete(keyOf(event));
      changed = tallied(changed, 'moved', side === 'witnessed' ? event : other.event);
    } else if (lone.size < MOST_LONE) lone.set(keyOf(event), { side, event: placeOf(event) });
    else surplus = counted(surplus, { side, event });
  };
  const result = () => {
    const tallies = [...lone.values()].reduce(counted, NONE);
    return {
      integrity: sum(tallies.inserted, surplus.inserted, changed),
      completeness: sum(tallies.missing, surplus.missing),
      /** Events that the read model does not have yet. */
      unattested: tallies.new.found + surplus.new.found,
    };
  };

  return {
    altered: (event: Place): void => {
      changed = tallied(changed, 'altered', event);
    },
    /** One side has an event that the other does not have at that position. */
    strand,
    result,
    /** Forgets everything. @returns what it was */
    clear: () => {
      const was = result();
      lone.clear();
      changed = NOTHING;
      surplus = NONE;
      return was;
    },
  };
};
