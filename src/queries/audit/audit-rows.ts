import { type JsonObject } from '../../domain/json.js';
import { type Category } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type SortOrder } from '../flags/flag-filter.js';
import { type Fact, factColumns, type Provenance, provenanceOf } from '../provenance.js';
import { auditConditions, type AuditFilter } from './audit-filter.js';

/** One event of the log; `data` is what the event itself says. */
export type AuditEntry = Provenance &
  Readonly<{
    category: Category;
    stream: string;
    project: string | null;
    /** Of the flag or API key. */
    key: string | null;
    environment: string | null;
    data: JsonObject;
  }>;

type Row = Fact &
  Pick<AuditEntry, 'category' | 'stream' | 'project' | 'key' | 'environment' | 'data'>;

/** `after` is the position of the row before; `upTo` the last position to read. */
export type AuditRange = Readonly<{
  organizationId: string;
  filter: AuditFilter;
  order: SortOrder;
  after: number | null;
  upTo: number;
  limit: number;
}>;

const entryOf = ({
  category,
  stream,
  project,
  key,
  environment,
  data,
  ...fact
}: Row): AuditEntry => ({
  ...provenanceOf(fact),
  category,
  stream,
  project,
  key,
  environment,
  data,
});

/** Up to `limit` entries in log order, or against it. @throws DomainError malformed-time */
export const readAuditEntries =
  (db: Database) =>
  async ({
    organizationId,
    filter,
    order,
    after,
    upTo,
    limit,
  }: AuditRange): Promise<AuditEntry[]> => {
    const { sql, values } = auditConditions(organizationId, filter);
    const [upToAt, limitAt, afterAt] = [1, 2, 3].map((nth) => `$${values.length + nth}`);
    const { rows } = await db.query<Row>({
      organizationId,
      text: `select e.category, e.stream, e.project_key as project, e.entity_key as key,
                    e.environment, e.data, ${factColumns('e')}
               from audit_event e
              where ${sql}
                and e.position <= ${upToAt}
                ${after === null ? '' : `and e.position ${order === 'asc' ? '>' : '<'} ${afterAt}`}
              order by e.position ${order}
              limit ${limitAt}`,
      values: [...values, upTo, limit, ...(after === null ? [] : [after])],
    });
    return rows.map(entryOf);
  };
