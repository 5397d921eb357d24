import { type Change, changesBetween } from '../../domain/changes.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type JsonObject } from '../../domain/json.js';
import { flagStream, projectIdOf, segmentStream } from '../../domain/streams.js';
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
import { parseTime } from '../time.js';
import {
  type FlagAddress,
  getFlag,
  getSegment,
  needsWholeLists,
  type SegmentAddress,
  segmentStepChanges,
  type StoredSegment,
  wholeSegmentState,
} from './entity-at.js';
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

type Kind = 'flag' | 'segment';

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
  return `select e.environment, e.data, b.state as before, a.state as after, ${factColumns('e')}
            from audit_event e
            left join lateral ${stateAt('after', project, key, kind)} a on true
            left join lateral ${stateAt('before', project, key, kind)} b on true
           where ${sql}
           order by e.revision ${order}
           limit ${limit}`;
};

/** @defaultValue order: desc, so the newest event first */
export type FlagHistory = FlagAddress &
  FlagHistoryFilter &
  Readonly<{ order?: SortOrder; limit?: number; cursor?: string }>;

/** One event with what it changed; `data` is what the event itself says. */
export type FlagHistoryItem = Provenance &
  Readonly<{ environment: string | null; data: JsonObject; changes: readonly Change[] }>;

type FlagHistoryRow = Fact & {
  environment: string | null;
  data: JsonObject;
  before: ExistingFlag | null;
  after: ExistingFlag | null;
};

const changesOf = ({ before, after }: FlagHistoryRow): readonly Change[] =>
  // Only an event that this version does not understand leaves no state behind.
  after === null ? [] : changesBetween(before ?? undefined, after);

const flagItemOf = (row: FlagHistoryRow): FlagHistoryItem => ({
  ...provenanceOf(row),
  environment: row.environment,
  data: row.data,
  changes: changesOf(row),
});

/**
 * A page of a flag's events, from its creation on, over deletion and restore.
 * @throws DomainError project-not-found, flag-not-found, malformed-time, invalid-cursor
 */
export const flagHistory =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    ...question
  }: FlagHistory): Promise<Page<FlagHistoryItem>> => {
    const { organizationId, project, flag, order = 'desc' } = question;
    const projectId = projectIdOf(organizationId, project);
    const scope = { list: 'flag-history', ...question };
    const [revision] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['number']);
    const wanted = historyConditions(flagStream(projectId, flag), question, { revision, order });
    const { rows } = await db.query<FlagHistoryRow>({
      organizationId,
      text: historySql(wanted, order, 'flag'),
      values: [...wanted.values, projectId, flag, limit + 1],
    });
    // An empty answer is right for a filter, but not for a flag that never was.
    if (rows.length === 0) await getFlag(db)(question, await readPosition(db)());
    return pageOf(rows.map(flagItemOf), limit, scope, ({ revision }) => [revision]);
  };

/** @defaultValue order: desc, so the newest event first */
type SegmentHistory = SegmentAddress &
  Omit<FlagHistoryFilter, 'environment'> &
  Readonly<{ order?: SortOrder; limit?: number; cursor?: string }>;

/** One event with what it changed; `data` is what the event itself says. */
export type SegmentHistoryItem = Provenance &
  Readonly<{ data: JsonObject; changes: readonly Change[] }>;

type SegmentHistoryRow = Fact & {
  data: JsonObject;
  before: StoredSegment | null;
  after: StoredSegment | null;
};

const segmentItemOf = (row: SegmentHistoryRow): SegmentHistoryItem => ({
  ...provenanceOf(row),
  data: row.data,
  // Only an event that this version does not understand leaves no state behind.
  changes: row.after === null ? [] : segmentStepChanges(row),
});

/**
 * A page of a segment's events, from its creation on, over deletion and restore.
 * @throws DomainError project-not-found, segment-not-found, malformed-time, invalid-cursor
 */
export const segmentHistory =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    ...question
  }: SegmentHistory): Promise<Page<SegmentHistoryItem>> => {
    const { organizationId, project, segment, order = 'desc' } = question;
    const projectId = projectIdOf(organizationId, project);
    const scope = { list: 'segment-history', ...question };
    const [revision] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['number']);
    const stream = segmentStream(projectId, segment);
    const wanted = historyConditions(stream, question, { revision, order });
    const { rows } = await db.query<SegmentHistoryRow>({
      organizationId,
      text: historySql(wanted, order, 'segment'),
      values: [...wanted.values, projectId, segment, limit + 1],
    });
    // An empty answer is right for a filter, but not for a segment that never was.
    if (rows.length === 0) await getSegment(db)(question, await readPosition(db)());
    return pageOf(rows.map(segmentItemOf), limit, scope, ({ revision }) => [revision]);
  };
