import {
  AGGREGATES,
  type Aggregate,
  type EventOf,
  type ExistingOf,
  type StateOf,
} from '../../domain/aggregates.js';
import { CATALOGUE, type DomainEvent } from '../../domain/catalogue.js';
import { type Recorded } from '../../domain/recorded.js';
import { type Category, parseStream, projectIdOf, type StreamParts } from '../../domain/streams.js';
import { type Position } from '../../domain/position.js';
import { listBase, listsOfRow, type ReadRow } from './segment-lists.js';
import { checkOrganization, FLAG, PROJECT, requireShape, SEGMENT } from './shape.js';
import { type OtherCategory, type Tracked, type WithState } from './tracked.js';

export type Stated = WithState['category'];

export type TrackedOf<A extends Stated> = Extract<WithState, { category: A }>;

/** What names the rows of a stream, by column. */
const columnsOf = ({ organizationId, projectKey, key }: StreamParts) => ({
  organization_id: organizationId,
  project_id: projectIdOf(organizationId, projectKey ?? ''),
  key: key ?? '',
});

type Names<A extends Stated> = Omit<
  TrackedOf<A>,
  'category' | 'state' | 'lists' | 'revision' | 'position'
>;

type StateRows<A extends Stated> = Readonly<{
  /** The columns that name its streams, in the order of the names in a stream's own name. */
  identity: readonly (keyof ReturnType<typeof columnsOf>)[];
  /** What is tracked next to the state, so that its rows can be named. */
  named: (parts: StreamParts) => Names<A>;
  /** What the first event is. */
  first: 'creation' | 'registration';
  /** Whether what the state says of its place is what the stream says. */
  isOfStream: (state: ExistingOf<A>, parts: StreamParts) => boolean;
  /** Readers trust these members of the state. @throws Error */
  check: (state: ExistingOf<A>) => void;
  /** SQL of what is read of row t besides names, revision and position. @defaultValue its state */
  reads?: string;
  /** More that is tracked: what a row, or an event, says of it. */
  more?: Readonly<{
    ofRow: (row: ReadRow) => Partial<TrackedOf<A>>;
    ofEvent: (
      event: Recorded<EventOf<A>>,
      before: TrackedOf<A> | undefined,
      state: ExistingOf<A>,
    ) => Partial<TrackedOf<A>>;
  }>;
}>;

const inProject = ({ organizationId, projectKey, key }: StreamParts) => ({
  projectId: projectIdOf(organizationId, projectKey ?? ''),
  key: key ?? '',
});

const isInProject = (
  state: Readonly<{ projectId: string; key: string }>,
  parts: StreamParts,
): boolean => state.projectId === inProject(parts).projectId && state.key === parts.key;

/** The aggregates whose states are rows: `stateReadModel` says what else a row has. */
export const STATE_ROWS: { readonly [A in Stated]: StateRows<A> } = {
  organization: {
    identity: ['organization_id'],
    named: ({ organizationId }) => ({ organizationId }),
    first: 'registration',
    isOfStream: () => true,
    check: checkOrganization,
  },
  project: {
    identity: ['project_id'],
    named: ({ organizationId, projectKey }) => ({
      projectId: projectIdOf(organizationId, projectKey ?? ''),
    }),
    first: 'creation',
    isOfStream: (state, { organizationId, projectKey }) =>
      state.organizationId === organizationId && state.key === projectKey,
    check: requireShape(PROJECT),
  },
  flag: {
    identity: ['project_id', 'key'],
    named: inProject,
    first: 'creation',
    isOfStream: isInProject,
    check: requireShape(FLAG),
  },
  segment: {
    identity: ['project_id', 'key'],
    named: inProject,
    first: 'creation',
    isOfStream: isInProject,
    check: requireShape(SEGMENT),
    reads: `t.keys_from, t.keys_since,
         segment_state(t.project_id, t.key, t.revision, t.state, t.keys_from) as state`,
    more: {
      ofRow: listsOfRow,
      ofEvent: (event, before, state) => ({ lists: listBase(event, before, state) }),
    },
  },
};

const STATED = Object.keys(STATE_ROWS) as readonly Stated[];

const isStated = (category: Category | undefined): category is Stated =>
  category !== undefined && category in STATE_ROWS;

/** Whether a stream has no state here. */
export const isOther = (category: Category | undefined): category is OtherCategory =>
  category !== undefined && !isStated(category);

const isThere = <A extends Aggregate>(state: StateOf<A>): state is ExistingOf<A> =>
  state.status !== 'absent';

type Evolved<A extends Stated = Stated> = A extends Stated
  ? Omit<TrackedOf<A>, 'revision' | 'position'>
  : never;

const evolvedState = <A extends Stated>(
  category: A,
  event: Recorded<EventOf<A>>,
  parts: StreamParts,
  before: TrackedOf<A> | undefined,
) => {
  const { first, isOfStream, check, named, more } = STATE_ROWS[category];
  const { initialState, evolve } = AGGREGATES[category];
  const known: StateOf<A> = before?.state ?? initialState;
  const state = evolve(known, event);
  if (!isThere<A>(state)) throw new Error(`The stream does not begin with a ${first}.`);
  if (!isOfStream(state, parts))
    throw new Error(`The ${category} in the data is not that of the stream.`);
  check(state);
  return { category, ...named(parts), state, ...more?.ofEvent(event, before, state) };
};

/** What an event of ours makes of its stream. @throws Error when it cannot be applied there */
export const evolved = (
  event: Recorded<DomainEvent>,
  parts: StreamParts,
  before: Tracked | undefined,
): Evolved | Readonly<{ category: OtherCategory }> => {
  const category = CATALOGUE[event.type];
  if (isStated(category)) {
    const known = before?.category === category ? before : undefined;
    // The compiler does not see that the event, the state before and the entry of the table are of one category.
    return evolvedState(category, event as never, parts, known as never) as Evolved;
  }
  if (!isOther(parts.category)) throw new Error('The event does not belong in its stream.');
  return { category: parts.category };
};

/** The statement that reads the states of streams of one category; a parameter for each column that names them. */
const statesText = (category: Stated): string => {
  const { identity, reads = 't.state' } = STATE_ROWS[category];
  const parameters = identity.map((_, nth) => `$${nth + 1}::text[]`).join(', ');
  return `
  select ${identity.map((column) => `t.${column}`).join(', ')}, t.revision, t.position, ${reads}
    from unnest(${parameters}) as w (${identity.join(', ')})
    join ${category} t
      on ${identity.map((column) => `t.${column} = w.${column}`).join(' and ')}`;
};

const STATES = STATED.map((category) => ({ category, text: statesText(category) }));

export type Asked = Readonly<{ stream: string; parts: StreamParts | undefined }>;

/** The statements that read the states of these streams, with their values. */
export const stateReads = (asked: readonly Asked[]) =>
  STATES.flatMap(({ category, text }) => {
    const named = asked.flatMap(({ parts }) =>
      parts?.category === category ? [columnsOf(parts)] : [],
    );
    const values = STATE_ROWS[category].identity.map((column) =>
      named.map((columns) => columns[column]),
    );
    return named.length === 0 ? [] : [{ category, text, values }];
  });

export const placeOf = (row: ReadRow) => ({
  revision: Number(row['revision']),
  position: row['position'] as Position,
});

/** A stream as its row has it. */
export const stateOfRow = (category: Stated, row: ReadRow): readonly [string, WithState] => {
  const { identity, named, more } = STATE_ROWS[category];
  const stream = `${category}-${identity.map((column) => String(row[column])).join(':')}`;
  const parts = parseStream(stream);
  if (parts === undefined) throw new Error(`No stream has the name of the row of ${stream}.`);
  const state = { category, ...named(parts), state: row['state'], ...placeOf(row) };
  return [stream, { ...state, ...more?.ofRow(row) } as WithState];
};
