import { type Change, changesBetween } from '../../domain/changes.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type JsonObject } from '../../domain/json.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { readPosition } from '../moments.js';
import {
  type Condition,
  type Conditions,
  conditions,
  decodeCursor,
  DEFAULT_LIMIT,
  equal,
  type Page,
  pageOf,
} from '../paging.js';
import { type Fact, factColumns, type Provenance, provenanceOf } from '../provenance.js';
import { slices } from '../slices.js';
import { parseTime } from '../time.js';
import { getFlag, getSegment } from './entity-at.js';
import {
  type AddressOf,
  type Kind,
  KINDS,
  type SegmentAddress,
  wholeSegmentState,
} from './kinds.js';
import { needsWholeLists, segmentStepChanges, type StoredSegment } from './segment-steps.js';
import { type SortOrder } from './flag-filter.js';

type FlagHistoryFilter = Readonly<{
  /** Events about it, and those that changed what holds in it. */
  environment?: string;
  types?: readonly string[];
  /** Ids of actors: any of them. */
  actors?: readonly string[];
  /** RFC 3339, inclusive. */
  from?: string;
  /** RFC 3339, exclusive. */
  to?: string;
}>;

const seenIn = (alias: string, environment: string): string =>
  `(coalesce(${alias}.state -> 'environments' -> ${environment}::text, ${alias}.state -> 'defaults'),
    ${alias}.state -> 'status', ${alias}.state -> 'variants', ${alias}.state -> 'salt',
    ${alias}.state -> 'metadata')`;

/** About the environment, or a change of what holds there (a revert, say). */
const touches = (environment: string | undefined): Condition => ({
  sql: (parameter) =>
    `(e.environment = ${parameter}
      or (a.state is not null
          and ${seenIn('a', parameter)} is distinct from ${seenIn('b', parameter)}))`,
  value: environment,
});

const since = (operator: string, time: string | undefined): Condition => ({
  sql: (parameter) => `e.recorded_at ${operator} ${parameter}`,
  value: time === undefined ? undefined : new Date(parseTime(time).ceilMs),
});

/** What a filter asks of event e, with state b before and a after it. @throws DomainError malformed-time */
const historyConditions = (
  stream: string,
  filter: FlagHistoryFilter,
  after: Readonly<{ revision: string | number | undefined; order: SortOrder }>,
): Conditions =>
  conditions([
    equal('e.stream', stream),
    { sql: (parameter) => `e.type = any (${parameter}::text[])`, value: filter.types },
    { sql: (parameter) => `e.actor_id = any (${parameter}::text[])`, value: filter.actors },
    since('>=', filter.from),
    since('<', filter.to),
    touches(filter.environment),
    {
      sql: (parameter) => `e.revision ${after.order === 'asc' ? '>' : '<'} ${parameter}`,
      value: after.revision,
    },
  ]);

/** Which revision of it; `before`: that of our event in front, for events of others have revisions, too. */
const SIDES = {
  after: 'h.revision = e.revision',
  before: 'h.revision < e.revision order by h.revision desc',
} as const;

// The limit keeps Postgres from reading every revision of the flag for one page of events.
const stateAt = (side: keyof typeof SIDES, project: string, key: string, kind: Kind): string =>
  `(select ${kind === 'flag' ? 'h.state' : `case when ${needsWholeLists('e')} then ${wholeSegmentState('h')} else h.state end as state`}
      from ${kind}_revision h
     where h.project_id = ${project}
       and h.${kind}_key = ${key}
       and ${SIDES[side]}
     limit 1)`;

/** Events of a flag or segment, each with the state before and after; then parameters follow: project, key, limit. */
const historySql = ({ sql, values }: Conditions, order: SortOrder, kind: Kind): string => {
  const [project = '', key = '', limit = ''] = [1, 2, 3].map((nth) => `$${values.length + nth}`);
  return `select e.environment, e.data, b.state as before, a.state as after,
                 octet_length(a.state::text) as size, ${factColumns('e')}
            from audit_event e
            left join lateral ${stateAt('after', project, key, kind)} a on true
            left join lateral ${stateAt('before', project, key, kind)} b on true
           where ${sql}
           order by e.revision ${order}
           limit ${limit}`;
};

/** @defaultValue order: desc, so the newest event first */
type HistoryOf<K extends Kind> = AddressOf<K> &
  FlagHistoryFilter &
  Readonly<{ order?: SortOrder; limit?: number; cursor?: string }>;
export type FlagHistory = HistoryOf<'flag'>;

/** One event with what it changed; `data` is what the event itself says. */
export type SegmentHistoryItem = Provenance &
  Readonly<{ data: JsonObject; changes: readonly Change[] }>;
export type FlagHistoryItem = SegmentHistoryItem & Readonly<{ environment: string | null }>;

type RowWith<State> = Fact & {
  environment: string | null;
  data: JsonObject;
  before: State | null;
  after: State | null;
  /** Bytes of the state after it. */
  size: number | null;
};

type Rows = Readonly<{ flag: RowWith<ExistingFlag>; segment: RowWith<StoredSegment> }>;
type Items = Readonly<{ flag: FlagHistoryItem; segment: SegmentHistoryItem }>;

// Only an event that this version does not understand leaves no state behind.
const ITEM_OF: { readonly [K in Kind]: (row: Rows[K]) => Items[K] } = {
  flag: (row) => ({
    ...provenanceOf(row),
    environment: row.environment,
    data: row.data,
    changes: row.after === null ? [] : changesBetween(row.before ?? undefined, row.after),
  }),
  segment: (row) => ({
    ...provenanceOf(row),
    data: row.data,
    changes: row.after === null ? [] : segmentStepChanges(row),
  }),
};

/** After this many bytes a page ends, however few events it has. */
const PAGE_BYTES = 4 * 2 ** 20;
/** What is smaller is not worth measuring. */
const LARGE_STATE = 64 * 1_024;

type Sized<K extends Kind> = Readonly<{ item: Items[K]; bytes: number }>;

const sized = <K extends Kind>(kind: K, row: Rows[K]): Sized<K> => {
  const item = ITEM_OF[kind](row);
  return { item, bytes: (row.size ?? 0) < LARGE_STATE ? 0 : JSON.stringify(item).length };
};

/** Items until there is one more than a page holds, or enough bytes; `fitting` of them make the page. */
const readPage = async <K extends Kind>(
  kind: K,
  limit: number,
  found: AsyncGenerator<readonly Rows[K][]>,
): Promise<Readonly<{ items: readonly Items[K][]; fitting: number }>> => {
  const items: Items[K][] = [];
  let bytes = 0;
  for await (const rows of found) {
    for (const row of rows) {
      const { item, bytes: own } = sized(kind, row);
      items.push(item);
      bytes += own;
      // The last one only says that there is more.
      if (items.length > limit) return { items, fitting: limit };
      if (bytes > PAGE_BYTES && items.length > 1) return { items, fitting: items.length - 1 };
    }
  }
  return { items, fitting: limit };
};

/**
 * A page of the events of one, from its creation on, over deletion and restore.
 * @throws DomainError project-not-found, flag-not-found, segment-not-found, malformed-time, invalid-cursor
 */
const entityHistory =
  <K extends Kind>(kind: K, requireIt: (db: Database, address: AddressOf<K>) => Promise<unknown>) =>
  (db: Database) =>
  async (asked: HistoryOf<K>): Promise<Page<Items[K]>> => {
    const { limit = DEFAULT_LIMIT, cursor, ...question } = asked;
    const { organizationId, project, order = 'desc' } = asked;
    const projectId = projectIdOf(organizationId, project);
    const key = asked[kind];
    const scope = { list: `${kind}-history`, ...question };
    const [revision] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['number']);
    const stream = KINDS[kind].streamOf(projectId, key);
    const read = async (last: Rows[K] | undefined, count: number): Promise<readonly Rows[K][]> => {
      const after = { revision: last?.revision ?? revision, order };
      const wanted = historyConditions(stream, asked, after);
      const { rows } = await db.query<Rows[K]>({
        organizationId,
        text: historySql(wanted, order, kind),
        values: [...wanted.values, projectId, key, Math.min(count, limit + 1)],
      });
      return rows;
    };
    const { items, fitting } = await readPage(kind, limit, slices(read));
    // An empty answer is right for a filter, but not for what never was.
    if (items.length === 0) await requireIt(db, asked);
    return pageOf(items, fitting, scope, (item) => [item.revision]);
  };

export const flagHistory = entityHistory('flag', async (db, address) =>
  getFlag(db)(address, await readPosition(db)()),
);

export const segmentHistory: (
  db: Database,
) => (
  asked: SegmentAddress & Omit<HistoryOf<'segment'>, 'environment'>,
) => Promise<Page<SegmentHistoryItem>> = entityHistory('segment', async (db, address) =>
  getSegment(db)(address, await readPosition(db)()),
);
