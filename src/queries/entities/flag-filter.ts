import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type FlagType } from '../../domain/flag/configuration.js';
import { flagRevisionAt } from './entity-at.js';

/** `undeleted` is active and archived. */
export type FlagStatusFilter = ExistingFlag['status'] | 'undeleted' | 'all';
export type FlagSort = 'key' | 'name' | 'createdAt' | 'updatedAt';
export type SortOrder = 'asc' | 'desc';

export type FlagFilter = Readonly<{
  /** Flags that have all of them. */
  tags?: readonly string[];
  /** Anywhere in key, name or description, in any case. */
  text?: string;
  /** @defaultValue undeleted */
  status?: FlagStatusFilter;
  /** Key of an environment; flags that are enabled there. */
  enabledIn?: string;
  type?: FlagType;
}>;

/** SQL of what is sorted by, of its value for a cursor, and of that value ($7) back again. */
type SortSql = Readonly<{ by: string; key: string; after: string; keyType: 'string' | 'number' }>;

const byText = (by: string): SortSql => ({ by, key: by, after: '$7::text', keyType: 'string' });

/** Cursors carry milliseconds since 1970. */
const byTime = (by: string): SortSql => ({
  by,
  key: `(extract(epoch from ${by}) * 1000)::float8`,
  after: 'to_timestamp($7::float8 / 1000)',
  keyType: 'number',
});

export const SORTS: Readonly<Record<FlagSort, SortSql>> = {
  key: byText('f.key'),
  name: byText('lower(f.name)'),
  createdAt: byTime('f.created_at'),
  updatedAt: byTime('f.updated_at'),
};

const NOW = 'flag f';

/** The columns of table flag, as they were at position $10. */
const THEN = `(select f.project_id, f.key, f.created_at, r.recorded_from as updated_at, r.revision,
                      r.state ->> 'name' as name, r.state ->> 'description' as description,
                      r.state ->> 'type' as type, r.state ->> 'status' as status,
                      array(select jsonb_array_elements_text(r.state -> 'tags')) as tags, r.state
                 from flag f
                cross join lateral (${flagRevisionAt('$10')}) r) f`;

/**
 * A page of flags. Parameters: $1 project, $2 tags, $3 like-pattern, $4 status, $5 environment, $6 type,
 * $7 sort key and $8 key of the last row, $9 limit, and for the past $10 position.
 */
export const flagListSql = (sort: FlagSort, order: SortOrder, isPast: boolean): string => {
  const { by, key, after } = SORTS[sort];
  return `select f.key, f.state, f.revision::float8 as revision, f.created_at as "createdAt",
                 f.updated_at as "updatedAt", ${key} as "sortKey"
            from ${isPast ? THEN : NOW}
           where f.project_id = $1
             and ($2::text[] is null or f.tags @> $2::text[])
             and ($3::text is null or f.key ilike $3 or ${composed('f.name')} ilike $3 or ${composed('f.description')} ilike $3)
             and ($4 = 'all' or f.status = $4 or ($4 = 'undeleted' and f.status <> 'deleted'))
             and ($5::text is null or (coalesce(f.state -> 'environments' -> $5::text, f.state -> 'defaults')
                                       -> 'enabled')::boolean)
             and ($6::text is null or f.type = $6)
             and ($8::text is null or (${by}, f.key) ${order === 'asc' ? '>' : '<'} (${after}, $8::text))
           order by ${by} ${order}, f.key ${order}
           limit $9`;
};

/** SQL of a text to compare with `containing`: letters and their accents are one character where there is one. */
export const composed = (sql: string): string => `normalize(${sql}, nfc)`;

/** A LIKE pattern for text anywhere, composed; `%` and `_` stand for themselves. */
export const containing = (text: string): string =>
  `%${text.normalize('NFC').replaceAll(/[\\%_]/g, '\\$&')}%`;
