import { type Position } from '../../domain/position.js';
import { type AuditEntry } from './audit-rows.js';

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
export const CSV_HEADER = lineOf(Object.keys(COLUMNS));

/** One entry as a line, with its end. */
export const csvLine = (entry: AuditEntry): string =>
  lineOf(Object.values(COLUMNS).map((cellOf) => cellOf(entry)));
