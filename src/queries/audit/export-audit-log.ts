import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { readPosition } from '../moments/read-position.js';
import { type AuditFilter, auditConditions } from './audit-filter.js';
import { type ActorScope } from './actors.js';
import { auditSlices, type Sized } from './audit-rows.js';
import { CSV_HEADER, csvLine } from './csv.js';

export type ExportFormat = 'ndjson' | 'csv';

export type ExportAuditLog = ActorScope & Readonly<{ filter: AuditFilter; format: ExportFormat }>;

/** Text to be sent as it comes; `position` is the last one that can be in it. */
export type Export = Readonly<{ position: Position; chunks: AsyncGenerator<string> }>;

const ndjsonLine = ({ json }: Sized): string => `${json}\n`;

async function* chunksOf(
  db: Database,
  { format, ...range }: ExportAuditLog,
  upTo: Position,
): AsyncGenerator<string> {
  const line = format === 'csv' ? ({ entry }: Sized) => csvLine(entry) : ndjsonLine;
  if (format === 'csv') yield CSV_HEADER;
  for await (const slice of auditSlices(db, { ...range, order: 'asc', after: null, upTo }))
    yield slice.map(line).join('');
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
