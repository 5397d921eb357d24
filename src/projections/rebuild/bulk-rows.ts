import { type Link } from '../../domain/audit/chain.js';
import { type SkippedEvents } from '../../domain/skipped-events.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { foldEvents, NO_EXCEPTIONS } from '../fold/fold.js';
import { type LinkedStep, linkSteps } from '../fold/link-steps.js';
import { type Tracked } from '../fold/tracked.js';
import { acrossForeign } from '../foreign-gaps.js';
import { keyText, type Row, type Table, type TableRows } from '../projection.js';
import { READ_MODELS } from '../read-models.js';

/** Rows that are not final yet, of one table, by stream. */
type Held = Map<string, Row>;

/** Revisions: each is final when the next begins. */
const finishedRevisions = (held: Held, { stream }: Table, rows: readonly Row[]): readonly Row[] =>
  rows.flatMap((row) => {
    const key = keyText(stream, row);
    const open = held.get(key);
    held.delete(key);
    if (row['position_to'] === null) held.set(key, row);
    const closed = open && {
      ...open,
      position_to: row['position_from'],
      recorded_to: row['recorded_from'],
    };
    return [...(closed ? [closed] : []), ...(row['position_to'] === null ? [] : [row])];
  });

/** Current states: none is final before the end. */
const holdCurrent = (held: Held, table: Table, rows: readonly Row[]): void => {
  for (const row of rows) {
    const key = keyText(table.key, row);
    const created = held.get(key)?.['created_at'] ?? row['created_at'];
    held.set(key, { ...row, created_at: created });
  }
};

/**
 * Turns a whole log into rows that are each written once, all states in memory. The rows are those that applying
 * the log batch by batch would leave. `skipped`: what they will say is skipped, for rows that are written cannot be taken back.
 */
export const bulkRows = (log: Pick<EventLog, 'readStream'>, skipped: SkippedEvents) => {
  const tracked = new Map<string, Tracked>();
  const heads = new Map<string, Link>();
  const held = new Map<Table, Held>();
  let recordedAt: string | null = null;

  const heldOf = (table: Table): Held => {
    const rows = held.get(table) ?? new Map<string, Row>();
    held.set(table, rows);
    return rows;
  };
  const finished = ({ table, rows, close }: TableRows): TableRows => {
    if (close !== undefined) return { table, rows: finishedRevisions(heldOf(table), table, rows) };
    if (table.onConflict === 'do nothing') return { table, rows };
    holdCurrent(heldOf(table), table, rows);
    return { table, rows: [] };
  };
  const take = (steps: readonly LinkedStep[]): void => {
    for (const { event, parts, after, link } of steps) {
      tracked.set(event.stream, after);
      heads.set(parts.organizationId, link);
    }
    recordedAt = steps.at(-1)?.event.recordedAt ?? recordedAt;
  };

  return {
    recordedAt: (): string | null => recordedAt,
    /** Rows that are final by these events. */
    add: async (
      events: readonly LogEvent[],
    ): Promise<Readonly<{ rows: readonly TableRows[]; events: number }>> => {
      const lookUp = (stream: string) => tracked.get(stream);
      const whole = await acrossForeign(log, events, lookUp);
      const folded = foldEvents(whole, lookUp, recordedAt, { ...NO_EXCEPTIONS, skipped });
      const steps = linkSteps(folded.steps, (organizationId) => heads.get(organizationId));
      take(steps);
      const rows = READ_MODELS.flatMap(({ rowsOf }) => rowsOf(steps)).map(finished);
      return { rows, events: steps.length };
    },
    /** The rows that were held back. */
    end: (): readonly TableRows[] =>
      [...held].map(([table, rows]) => ({ table, rows: [...rows.values()] })),
  };
};

export type BulkRows = ReturnType<typeof bulkRows>;

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const escaped = (text: string): string =>
  text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);

const arrayLiteral = (items: readonly unknown[]): string =>
  `{${items.map((item) => `"${String(item).replace(/["\\]/g, '\\$&')}"`).join(',')}}`;

const textOf = (value: unknown, type: string | undefined): string => {
  if (value === null || value === undefined) return '\\N';
  if (Array.isArray(value) && type !== 'jsonb') return escaped(arrayLiteral(value));
  return escaped(typeof value === 'string' && type !== 'jsonb' ? value : JSON.stringify(value));
};

/** Rows as the text format of Postgres's COPY. */
export const copyLines = ({ columns }: Table, rows: readonly Row[]): string => {
  const types = Object.entries(columns);
  return rows
    .map((row) => `${types.map(([column, type]) => textOf(row[column], type)).join('\t')}\n`)
    .join('');
};
