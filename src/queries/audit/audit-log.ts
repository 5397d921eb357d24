import { type Database } from '../database.js';
import { type SortOrder } from '../flags/flag-filter.js';
import { type Moment } from '../moments/resolve-moment.js';
import { decodeCursor } from '../paging/cursor.js';
import { DEFAULT_LIMIT, type Page, pageOf } from '../paging/page.js';
import { type AuditFilter } from './audit-filter.js';
import { type AuditEntry, readAuditEntries } from './audit-rows.js';

/** @defaultValue order: desc, so the newest event first */
export type AuditLog = Readonly<{
  organizationId: string;
  filter: AuditFilter;
  /** The last position to tell of. */
  upTo: Moment;
  order?: SortOrder;
  limit?: number;
  cursor?: string;
}>;

/** A page of everything that happened in an organization. @throws DomainError malformed-time, invalid-cursor */
export const auditLog =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    upTo,
    ...question
  }: AuditLog): Promise<Page<AuditEntry>> => {
    const { organizationId, filter, order = 'desc' } = question;
    const scope = { list: 'audit', organizationId, order, ...filter };
    const [after = null] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['number']);
    const entries = await readAuditEntries(db)({
      organizationId,
      filter,
      order,
      after: after === null ? null : Number(after),
      upTo: upTo.position,
      limit: limit + 1,
    });
    return pageOf(entries, limit, scope, ({ position }) => [position]);
  };
