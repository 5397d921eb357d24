import { positionInJson } from '../../domain/position.js';
import { type Step } from '../fold/fold.js';
import { type Tracked } from '../fold/tracked.js';
import { type ReadModel, type Row, type Table, whenNewer } from '../projection.js';
import { currentStates, heldStates } from './revision-rows.js';
import { revisionTable } from './revision-table.js';

type WithState = Extract<Tracked, { state: unknown }>;

type StateRows<T> = Readonly<{
  /** Those of its columns that name a stream. */
  identity: readonly string[];
  /** Column → SQL type. */
  columns: Readonly<Record<string, string>>;
  rowOf: (after: T) => Row;
  /** The state as rows have it. @defaultValue all of it */
  storedState?: (after: T) => unknown;
  /** Of the table of revisions, next to those that each has. */
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
  const { identity, columns, rowOf, revisionColumns = {}, revisionRowOf = () => ({}) } = rows;
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
