import { DomainError, type Event } from '../../domain/decider.js';
import { type Json, sameJson } from '../../domain/json.js';
import { fingerprint, type MergeBase } from '../../domain/merge-base.js';
import { type Actor, type Recorded } from '../../domain/recorded.js';

/**
 * What happens to a field that both sides changed since they were merged last. `fail`: nothing is written. `skip`: the
 * flag or segment is left alone. `theirs`: what is here stays. `mine`: what is brought counts.
 */
export type OnConflict = 'fail' | 'skip' | 'theirs' | 'mine';

/** One thing that two sides can have their own idea of; null: there is none. */
export type Field = Readonly<{
  /** A JSON pointer. */
  name: string;
  theirs: Json;
  mine: Json;
  /** As the source says it, when that depends on less than `mine`. @defaultValue `mine` */
  source?: Json;
  /** Why it cannot be taken, whoever changed it. */
  closed?: string;
}>;

/** Who changed what is here, and when. */
type LastChange = Readonly<{ changedBy: Actor; changedAt: string; revision: number }>;

/** A field that cannot be merged. */
export type Conflict = Readonly<{
  /** In a report on many: the flag or segment whose field it is. */
  flag?: string;
  segment?: string;
  field: string;
  theirs: Json;
  mine: Json;
  why?: string;
}> &
  Partial<LastChange>;

export type Merged = Readonly<{
  /** Names of the fields to take. */
  taken: ReadonlySet<string>;
  /** Names of those that differ and stay, because only people here changed them. */
  kept: readonly string[];
  conflicts: readonly Field[];
  /** What to remember; the base that was given when nothing differs. */
  base: MergeBase;
}>;

type Verdict = 'same' | 'kept' | 'mine' | 'conflict';

const verdictOn = (field: Field, base: MergeBase): Verdict => {
  const { name, theirs, mine, source = mine, closed } = field;
  if (sameJson(theirs, mine)) return 'same';
  const known = base[name];
  if (known === undefined) return theirs === null ? 'mine' : 'conflict';
  const isOld = [source, mine].some((value) =>
    [known.source, known.here].includes(fingerprint(value)),
  );
  if (isOld) return 'kept';
  return fingerprint(theirs) === known.here && closed === undefined ? 'mine' : 'conflict';
};

const remembered = (
  { name, theirs, mine, source = mine, closed }: Field,
  verdict: Verdict,
  base: MergeBase,
): MergeBase => {
  const known = base[name];
  const isOpen = verdict === 'kept' || (verdict === 'conflict' && closed !== undefined);
  if (isOpen) return known === undefined ? {} : { [name]: known };
  const here = verdict === 'mine' ? mine : theirs;
  return { [name]: { source: fingerprint(source), here: fingerprint(here) } };
};

const resolved = ({ closed }: Field, verdict: Verdict, onConflict: OnConflict): Verdict => {
  if (verdict !== 'conflict' || onConflict === 'theirs') return verdict;
  return onConflict === 'mine' && closed === undefined ? 'mine' : verdict;
};

/**
 * Merges field by field with what was merged last as the base: what only one side changed is that side's. Without a base
 * all that differs is a conflict, but what there is nothing of here.
 */
export const mergeFields = (
  fields: readonly Field[],
  base: MergeBase,
  onConflict: OnConflict,
): Merged => {
  const judged = fields.map((field) => {
    const first = verdictOn(field, base);
    return { field, first, verdict: resolved(field, first, onConflict) };
  });
  const namesOf = (wanted: Verdict): readonly string[] =>
    judged.filter(({ verdict }) => verdict === wanted).map(({ field }) => field.name);
  const differs = judged.some(({ first }) => first === 'mine' || first === 'conflict');
  const entries = judged.map(({ field, verdict }) => remembered(field, verdict, base));
  return {
    taken: new Set(namesOf('mine')),
    kept: namesOf('kept'),
    conflicts: judged.flatMap(({ field, first }) => (first === 'conflict' ? [field] : [])),
    base: differs ? entries.reduce((all, one) => ({ ...all, ...one }), base) : base,
  };
};

/** What to remember where both sides are the same. */
export const agreedBase = (fields: readonly Field[]): MergeBase =>
  Object.fromEntries(
    fields.map(({ name, mine, source = mine }) => [
      name,
      { source: fingerprint(source), here: fingerprint(mine) },
    ]),
  );

/** Both sides changed something since they were merged last; nothing of this flag or segment is written. */
export class ConflictingChanges extends DomainError {
  readonly conflicts: readonly Conflict[];
  constructor(what: string, conflicts: readonly Conflict[]) {
    const fields = conflicts.map(({ field }) => field).join(', ');
    super('conflicting-changes', `${what} was changed here too: ${fields}.`);
    this.conflicts = conflicts;
  }
}

type Reported = Readonly<{
  result: string;
  code?: string;
  flag?: string;
  segment?: string;
  conflicts?: readonly Conflict[];
}>;

/** The conflicts of refused reports, each with the flag or segment that has it. */
export const conflictsIn = (reports: readonly Reported[]): readonly Conflict[] =>
  reports
    .filter(({ code }) => code === 'conflicting-changes')
    .flatMap(({ flag, segment, conflicts = [] }) => {
      const owner = {
        ...(flag !== undefined && { flag }),
        ...(segment !== undefined && { segment }),
      };
      return conflicts.map((conflict) => ({ ...owner, ...conflict }));
    });

/** Whether something has to be decided by whoever asked, and was not. */
export const isUnresolved = (
  { conflicts }: Pick<Merged, 'conflicts'>,
  onConflict: OnConflict,
): boolean =>
  onConflict === 'mine'
    ? conflicts.some(({ closed }) => closed !== undefined)
    : onConflict === 'fail' && conflicts.length > 0;

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
