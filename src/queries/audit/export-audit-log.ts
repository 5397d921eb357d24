import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { readPosition } from '../moments.js';
import { type ActorScope } from './actors.js';
import { auditConditions, type AuditFilter } from './audit-filter.js';
import { type AuditEntry, auditSlices, type Sized } from './audit-log.js';

type Cell = string | Position | null;

const COLUMNS: Readonly<Record<string, (entry: AuditEntry) => Cell>> = {
  position: ({ position }) => position,
  recordedAt: ({ recordedAt }) => recordedAt,
  category: ({ category }) => category,
  type: ({ type }) => type,
  project: ({ project }) => project,
  key: ({ key }) => key,
  environment: ({ environment }) => environment,
  actorId: ({ actor }) => actor.id,
  actorName: ({ actor }) => actor.name,
  actorType: ({ actor }) => actor.type,
  authMethod: ({ actor }) => actor.authMethod,
  ip: ({ ip }) => ip,
  userAgent: ({ userAgent }) => userAgent,
  reason: ({ reason }) => reason,
  commandId: ({ commandId }) => commandId,
  requestId: ({ requestId }) => requestId,
  correlationId: ({ correlationId }) => correlationId,
  causationId: ({ causationId }) => causationId,
  eventId: ({ eventId }) => eventId,
  stream: ({ stream }) => stream,
  revision: ({ revision }) => revision,
  data: ({ data }) => JSON.stringify(data),
  changes: ({ changes }) => JSON.stringify(changes),
};

/**
 * A spreadsheet runs a cell that begins with one of these as a formula (OWASP, "CSV Injection"); such text
 * gets a `'` in front. So does text with a `'` of its own there, so that taking one away gives the text back.
 */
const FORMULA = /^[=+\-@\t\r\n'\uFF1D\uFF0B\uFF0D\uFF20]/;

const cellText = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /["\n\r,;\t']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

const lineOf = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`;

/** The first line of an export, RFC 4180. */
const CSV_HEADER = lineOf(Object.keys(COLUMNS));

/** One entry as a line, with its end. */
const csvLine = (entry: AuditEntry): string =>
  lineOf(Object.values(COLUMNS).map((cellOf) => cellOf(entry)));

type ExportFormat = 'ndjson' | 'csv';

type ExportAuditLog = ActorScope & Readonly<{ filter: AuditFilter; format: ExportFormat }>;

/** Text to be sent as it comes; `position` is the last one that can be in it. */
type Export = Readonly<{ position: Position; chunks: AsyncGenerator<string> }>;

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
