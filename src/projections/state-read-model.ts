import { positionInJson } from '../domain/position.js';
import { type Category } from '../domain/streams.js';
import { type Step } from './fold/fold.js';
import { STATE_ROWS } from './fold/aggregates.js';
import { type Tracked, type WithState } from './fold/tracked.js';
import { type ReadModel, type Row, type Table, whenNewer } from './projection.js';

/**
 * The range for which a step's state held, half-open in positions and in time. Open (null) until the next step of
 * its stream; closed at once when that is among the same steps.
 */
type Held<T extends Tracked> = Readonly<{
  after: T;
  revision: number;
  /** The one before, whose range this one ends; no column. */
  previous: number;
  position_from: string | number;
  position_to: string | number | null;
  recorded_from: string;
  recorded_to: string | null;
}>;

/** A step's states with their ranges, in log order, for one category of streams. */
const heldStates = <T extends Tracked>(
  steps: readonly Step[],
  isOfCategory: (tracked: Tracked) => tracked is T,
): readonly Held<T>[] => {
  const next = new Map<string, Step>();
  const held: Held<T>[] = [];
  for (const step of steps.toReversed()) {
    if (!isOfCategory(step.after)) continue;
    const { stream, revision, position, recordedAt } = step.event;
    const end = next.get(stream)?.event;
    next.set(stream, step);
    held.push({
      after: step.after,
      revision,
      previous: step.previous,
      position_from: positionInJson(position),
      position_to: end === undefined ? null : positionInJson(end.position),
      recorded_from: recordedAt,
      recorded_to: end?.recordedAt ?? null,
    });
  }
  return held.reverse();
};

type Current<T extends Tracked> = Readonly<{
  after: T;
  createdAt: string;
  updatedAt: string;
}>;

/** The last state of each stream. `createdAt` is that of its first step here: right for a new stream only. */
const currentStates = <T extends Tracked>(
  steps: readonly Step[],
  isOfCategory: (tracked: Tracked) => tracked is T,
): readonly Current<T>[] => {
  const current = new Map<string, Current<T>>();
  for (const { event, after } of steps) {
    if (!isOfCategory(after)) continue;
    const createdAt = current.get(event.stream)?.createdAt ?? event.recordedAt;
    current.set(event.stream, { after, createdAt, updatedAt: event.recordedAt });
  }
  return [...current.values()];
};

/** A table of revisions, and how the row of the revision before is ended. */
type RevisionTable = Readonly<{ table: Table; close: string }>;

/** `<entity>_revision`: one row for each revision and the range for which it held. `identity` names its streams. */
const revisionTable = (
  entity: Category,
  identity: readonly string[],
  more: Readonly<Record<string, string>>,
): RevisionTable => {
  const name = `${entity}_revision`;
  const texts = identity.map((column) => `${column} text`).join(', ');
  const isSame = identity.map((column) => `r.${column} = n.${column}`).join(' and ');
  return {
    table: {
      name,
      columns: {
        ...Object.fromEntries(identity.map((column) => [column, 'text'])),
        revision: 'bigint',
        position_from: 'bigint',
        position_to: 'bigint',
        recorded_from: 'timestamptz',
        recorded_to: 'timestamptz',
        ...more,
        state: 'jsonb',
      },
      key: [...identity, 'revision'],
      stream: identity,
      category: entity,
      onConflict: 'do nothing',
    },
    close: `
      update ${name} r
         set position_to = n.position_from, recorded_to = n.recorded_from
        from jsonb_to_recordset($1::jsonb)
          as n (${texts}, previous bigint, position_from bigint, recorded_from timestamptz)
       where ${isSame}
         and r.revision = n.previous
         and r.position_to is null`,
  };
};

type StateRows<T> = Readonly<{
  /** Column → SQL type. */
  columns: Readonly<Record<string, string>>;
  rowOf: (after: T) => Row;
  /** The state as rows have it. @defaultValue all of it */
  storedState?: (after: T) => unknown;
  /** Columns of the table of revisions, next to those that all tables have. */
  revisionColumns?: Readonly<Record<string, string>>;
  revisionRowOf?: (after: T) => Row;
}>;

const EVERYWHERE = {
  revision: 'bigint',
  position: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  state: 'jsonb',
} as const;

/** The table `<category>` has the states of now, `<category>_revision` those of every revision, where `key` is `<category>_key`. */
export const stateReadModel = <Category extends WithState['category']>(
  category: Category,
  rows: StateRows<Extract<WithState, { category: Category }>>,
): ReadModel<Step> => {
  const { columns, rowOf, revisionColumns = {}, revisionRowOf = () => ({}) } = rows;
  const { identity } = STATE_ROWS[category];
  type Of = Extract<WithState, { category: Category }>;
  const storedState = rows.storedState ?? (({ state }: Of): unknown => state);
  const isOfCategory = (tracked: Tracked): tracked is Of => tracked.category === category;
  const all = { ...columns, ...EVERYWHERE };
  const current: Table = {
    name: category,
    columns: all,
    key: identity,
    stream: identity,
    category,
    onConflict: whenNewer(category, all, [...identity, 'created_at']),
  };
  const named = identity.map((column) => ({
    column,
    inRevisions: column === 'key' ? `${category}_key` : column,
  }));
  const revisions = revisionTable(
    category,
    named.map(({ inRevisions }) => inRevisions),
    revisionColumns,
  );
  const identityOf = (after: Of): Row => {
    const row = rowOf(after);
    return Object.fromEntries(named.map(({ column, inRevisions }) => [inRevisions, row[column]]));
  };
  return {
    tables: [current, revisions.table],
    rowsOf: (steps) => [
      {
        table: current,
        rows: currentStates(steps, isOfCategory).map(({ after, createdAt, updatedAt }) => ({
          ...rowOf(after),
          revision: after.revision,
          position: positionInJson(after.position),
          created_at: createdAt,
          updated_at: updatedAt,
          state: storedState(after),
        })),
      },
      {
        ...revisions,
        rows: heldStates(steps, isOfCategory).map(({ after, ...range }) => ({
          ...identityOf(after),
          ...range,
          ...revisionRowOf(after),
          state: storedState(after),
        })),
      },
    ],
  };
};
