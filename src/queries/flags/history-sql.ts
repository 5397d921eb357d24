import { factColumns } from '../provenance.js';
import { type SortOrder } from './flag-filter.js';

const configurationIn = (alias: string): string =>
  `coalesce(${alias}.state -> 'environments' -> $6::text, ${alias}.state -> 'defaults')`;

const seenIn = (alias: string): string =>
  `(${configurationIn(alias)}, ${alias}.state -> 'status', ${alias}.state -> 'variants', ${alias}.state -> 'salt')`;

/**
 * Events of a flag, each with the state before and after. Parameters: $1 stream, $2 types, $3 actor,
 * $4 from, $5 to (exclusive), $6 environment, $7 revision of the last row, $8 limit, $9 project, $10 flag.
 * An event touches an environment when it is about it, or changed what holds there (a revert, say).
 */
export const historySql = (order: SortOrder): string =>
  `select e.environment, e.data, b.state as before, a.state as after, ${factColumns('e')}
     from audit_event e
     left join flag_revision a on a.project_id = $9 and a.flag_key = $10 and a.revision = e.revision
     left join flag_revision b on b.project_id = $9 and b.flag_key = $10 and b.revision = e.revision - 1
    where e.stream = $1
      and ($2::text[] is null or e.type = any ($2::text[]))
      and ($3::text is null or e.actor_id = $3)
      and ($4::timestamptz is null or e.recorded_at >= $4)
      and ($5::timestamptz is null or e.recorded_at < $5)
      and ($6::text is null or e.environment = $6 or ${seenIn('a')} is distinct from ${seenIn('b')})
      and ($7::bigint is null or e.revision ${order === 'asc' ? '>' : '<'} $7)
    order by e.revision ${order}
    limit $8`;
