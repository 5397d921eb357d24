import { parseTime } from '../moments/parse-time.js';
import { type Condition, type Conditions, conditions, equal } from '../paging/conditions.js';
import { factColumns } from '../provenance.js';
import { needsWholeLists, wholeSegmentState } from '../segments/segment-row.js';
import { type SortOrder } from './flag-filter.js';

export type FlagHistoryFilter = Readonly<{
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
export const historyConditions = (
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
export const historySql = ({ sql, values }: Conditions, order: SortOrder, kind: Kind): string => {
  const [project = '', key = '', limit = ''] = [1, 2, 3].map((nth) => `$${values.length + nth}`);
  return `select e.environment, e.data, b.state as before, a.state as after, ${factColumns('e')}
            from audit_event e
            left join lateral ${stateAt('after', project, key, kind)} a on true
            left join lateral ${stateAt('before', project, key, kind)} b on true
           where ${sql}
           order by e.revision ${order}
           limit ${limit}`;
};
