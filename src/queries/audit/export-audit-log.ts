import { type Database } from '../database.js';
import { readPosition } from '../moments/read-position.js';
import { type AuditFilter, auditConditions } from './audit-filter.js';
import { type AuditEntry, readAuditEntries } from './audit-rows.js';
import { CSV_HEADER, csvLine } from './csv.js';

export type ExportFormat = 'ndjson' | 'csv';

export type ExportAuditLog = Readonly<{
  organizationId: string;
  filter: AuditFilter;
  format: ExportFormat;
}>;

/** Text to be sent as it comes; `position` is the last one that can be in it. */
export type Export = Readonly<{ position: number; chunks: AsyncGenerator<string> }>;

/** Entries read at a time: what bounds the memory of an export, however long it is. */
const PAGE = 500;

const ndjsonLine = (entry: AuditEntry): string => `${JSON.stringify(entry)}\n`;

async function* chunksOf(
  db: Database,
  { organizationId, filter, format }: ExportAuditLog,
  upTo: number,
): AsyncGenerator<string> {
  const line = format === 'csv' ? csvLine : ndjsonLine;
  if (format === 'csv') yield CSV_HEADER;
  const range = { organizationId, filter, order: 'asc', upTo, limit: PAGE } as const;
  for (let after: number | null = null; ;) {
    const entries = await readAuditEntries(db)({ ...range, after });
    if (entries.length > 0) yield entries.map(line).join('');
    const last = entries.at(-1);
    if (last === undefined || entries.length < PAGE) return;
    after = last.position;
  }
}

/**
 * The audit log from its first event to the last one that is there when the export begins, in log order.
 * The next page is read when the one before has been taken, so a slow reader costs nothing and one that
 * leaves ends it.
 * @throws DomainError malformed-time
 */
export const exportAuditLog =
  (db: Database) =>
  async (request: ExportAuditLog): Promise<Export> => {
    // Refused before the first byte is sent: later it could only be a broken download.
    auditConditions(request.organizationId, request.filter);
    const { position } = await readPosition(db)();
    return { position, chunks: chunksOf(db, request, position) };
  };
