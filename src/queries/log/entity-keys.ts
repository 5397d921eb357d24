import { type Database } from '../database.js';
import { type ProjectAddress } from '../projects/get-project.js';

/** Keys come after `after`; at most `limit` of them. */
export type KeyRange = Readonly<{ after?: string; limit: number }>;

/**
 * Keys of all flags, or all segments, that a project ever had, in order, as the audit trail knows them: apart from the
 * tables of states, so that a state that is missing there is noticed. Skips from key to key along the index.
 */
const entityKeys =
  (db: Database, category: 'flag' | 'segment') =>
  async (
    { organizationId, project }: ProjectAddress,
    { after = '', limit }: KeyRange,
  ): Promise<readonly string[]> => {
    const { rows } = await db.query<{ key: string }>({
      name: 'entity_keys',
      text: `with recursive found (key) as (
               (select e.entity_key
                  from audit_event e
                 where e.organization_id = $1 and e.project_key = $2 and e.entity_key > $3
                 order by e.entity_key
                 limit 1)
               union all
               select (select e.entity_key
                         from audit_event e
                        where e.organization_id = $1 and e.project_key = $2 and e.entity_key > found.key
                        order by e.entity_key
                        limit 1)
                 from found
                where found.key is not null
             )
             select found.key
               from found
              where found.key is not null
                and exists (select
                              from audit_event a
                             where a.stream = $5 || '-' || $1 || ':' || $2 || ':' || found.key)
              order by found.key
              limit $4`,
      values: [organizationId, project, after, limit, category],
    });
    return rows.map(({ key }) => key);
  };

export const flagKeys = (db: Database) => entityKeys(db, 'flag');
export const segmentKeys = (db: Database) => entityKeys(db, 'segment');
