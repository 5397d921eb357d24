import { CHAIN_START, linkAfter } from '../../domain/audit/chain.js';
import { type Json, sameJson } from '../../domain/json.js';
import { type Position, toPosition } from '../../domain/position.js';
import { skippedEvents } from '../../domain/skipped-events.js';
import { parseStream, type StreamParts } from '../../domain/streams.js';
import {
  addCompared,
  NOTHING_COMPARED,
  type RowDifference,
  type RowsCompared,
  type SkippedPlace,
} from '../../domain/verification.js';
import { loadCheckpoint } from '../checkpoint.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { foldEvents, type Refusals, type Step } from '../fold/fold.js';
import { type Tracked } from '../fold/tracked.js';
import { type LinkedStep } from '../fold/link-steps.js';
import { READ_MODEL, READ_MODELS } from '../read-models.js';
import { isOf, rowsOfStream } from '../write-rows.js';
import {
  type Database,
  keyText,
  type Row,
  type Table,
  type Transaction,
  wholeNumbers,
} from '../projection.js';

const TABLES = READ_MODELS.flatMap(({ tables }) => tables);

type Stored = Readonly<Record<string, Json>>;

/** The rows of one stream, as they are and with what comes before them in the log. */
type Held = Readonly<{
  upTo: Position;
  rows: ReadonlyMap<string, readonly Stored[]>;
  /** By position. */
  before: ReadonlyMap<Position, Before>;
  /** Its events that are passed by. */
  skipped: readonly SkippedPlace[];
}>;

/** What came before an event: the time of the event before it, and the link that the organization's chain had. */
type Before = Readonly<{ recordedAt: string | null; link: LinkedStep['link'] }>;

const NOTHING_BEFORE: Before = { recordedAt: null, link: CHAIN_START };

const AUDIT = `
  select e.position,
         (select p.recorded_at from audit_event p
           where p.position < e.position order by p.position desc limit 1) as previous_at,
         l.sequence, l.hash
    from unnest($1::bigint[]) as w (position)
    join audit_event e on e.position = w.position
    left join lateral (select c.sequence, encode(c.hash, 'hex') as hash
                         from audit_chain c
                        where c.organization_id = e.organization_id and c.position < e.position
                        order by c.position desc limit 1) l on true`;

const beforeOf = ({ previous_at: at, sequence, hash }: Row): Before => ({
  recordedAt: at instanceof Date ? at.toISOString() : null,
  link: typeof hash === 'string' ? { sequence: Number(sequence), hash } : NOTHING_BEFORE.link,
});

/** Links have no stream of their own. */
const LINKS = `audit_chain t
    join audit_event e on e.organization_id = t.organization_id and e.position = t.position
   where e.stream = $1`;

const SKIPPED = `
  select k.skipped_revision, k.skipped_position, k.skipped_type, k.reason
    from skipped_event k
   where k.skipped_stream = $1
   order by k.skipped_revision`;

const skippedIn = async (tx: Transaction, stream: string): Promise<readonly SkippedPlace[]> =>
  (await tx.query(SKIPPED, [stream])).rows.map((row) => ({
    stream,
    revision: Number(row['skipped_revision']),
    position: (row['skipped_position'] ?? -1) as Position,
    type: row['skipped_type'] as string | null,
    reason: row['reason'] as string | null,
  }));

const rowsOfTable = async (
  tx: Transaction,
  table: Table,
  [stream, parts]: readonly [string, StreamParts],
): Promise<readonly Stored[]> => {
  const { isNamed, values } = rowsOfStream(table, [stream, parts]);
  const isLinks = table.name === 'audit_chain';
  const { rows } = await tx.query(
    `select to_json(t) as row, ${wholeNumbers(table, 't')} as numbers
       from ${isLinks ? LINKS : `${table.name} t where ${isNamed}`}`,
    isLinks ? [stream] : values,
  );
  return rows.map(({ row, numbers }) => ({ ...(row as Stored), ...(numbers as Stored) }));
};

const heldOf = (database: Database, stream: string, parts: StreamParts): Promise<Held> =>
  database.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    const { position: upTo } = await loadCheckpoint(tx, READ_MODEL);
    const rows = new Map<string, readonly Stored[]>();
    for (const table of TABLES)
      if (isOf(table, parts)) rows.set(table.name, await rowsOfTable(tx, table, [stream, parts]));
    const positions = rows.get('audit_event')?.map(({ position }) => position) ?? [];
    const before = await tx.query(AUDIT, [positions]);
    return {
      upTo,
      rows,
      before: new Map(before.rows.map((row) => [row['position'] as Position, beforeOf(row)])),
      skipped: await skippedIn(tx, stream),
    };
  });

const textIn = (row: Stored | undefined, column: string): string => {
  const value = row?.[column];
  return typeof value === 'string' ? value : '';
};

/** Of a stream that was parked because Postgres refused an event: the fold alone cannot know. */
const refusalsIn = ({ rows }: Held): Refusals => {
  const [parked] = rows.get('parked_stream') ?? [];
  const error = textIn(parked, 'error');
  if (parked === undefined || !error.includes('SQLSTATE')) return new Map();
  const at = parked['position'];
  const told = rows.get('audit_event')?.find(({ position }) => position === at);
  const isAuditable = Object.keys(Object(told?.['data']) as object).length > 0;
  return new Map([[toPosition(at as string | number), { error, isAuditable }]]);
};

/** The steps that the log gives, each after what the rows say was before it in the log. */
const stepsOf = (held: Held, events: readonly LogEvent[]): readonly LinkedStep[] => {
  let tracked: Tracked | undefined;
  const exceptions = { refusals: refusalsIn(held), skipped: skippedEvents(held.skipped) };
  return events.flatMap((event) => {
    const { recordedAt, link: previous } = held.before.get(event.position) ?? NOTHING_BEFORE;
    const [step]: readonly Step[] = foldEvents(
      [event],
      () => tracked,
      recordedAt,
      exceptions,
    ).steps;
    if (step === undefined) return [];
    tracked = step.after;
    return [{ ...step, link: linkAfter(previous, step.parts.organizationId, event) }];
  });
};

/** A value as `to_json` gives it; times as instants, as long as they have no more than milliseconds. */
const comparable = (value: unknown, type: string | undefined): Json => {
  if (value === undefined || value === null) return null;
  if (type === 'timestamptz' && typeof value === 'string' && !/\.\d{4}/.test(value))
    return new Date(value).toISOString();
  return value as Json;
};

const firstDifference = (table: Table, held: Row, expected: Row): string | undefined =>
  Object.entries(table.columns).find(
    ([column, type]) =>
      !sameJson(comparable(held[column], type), comparable(expected[column], type)),
  )?.[0];

const named = (table: Table, row: Row): RowDifference['key'] =>
  Object.fromEntries(table.key.map((column) => [column, row[column]]));

/** Rows of one table by key: those that differ, and those that only one side has. */
const differencesIn = (
  table: Table,
  held: readonly Row[],
  expected: readonly Row[],
): readonly RowDifference[] => {
  const left = new Map(held.map((row) => [keyText(table.key, row), row]));
  const found: RowDifference[] = [];
  for (const row of expected) {
    const key = keyText(table.key, row);
    const other = left.get(key);
    left.delete(key);
    const place = { table: table.name, key: named(table, row) };
    if (other === undefined) found.push({ ...place, column: null, only: 'rebuilt' });
    else {
      const column = firstDifference(table, other, row);
      if (column !== undefined) found.push({ ...place, column });
    }
  }
  for (const row of left.values())
    found.push({ table: table.name, key: named(table, row), column: null, only: 'live' });
  return found;
};

const parkedIn = (stream: string, { rows }: Held): RowsCompared['parked'] =>
  (rows.get('parked_stream') ?? []).map((row) => ({
    stream,
    revision: Number(row['revision']),
    position: toPosition(row['position'] as string | number),
    type: textIn(row, 'type'),
  }));

type Sources = Readonly<{ database: Database; log: Pick<EventLog, 'readStream' | 'isDeleted'> }>;

const compareStream = async ({ database, log }: Sources, stream: string): Promise<RowsCompared> => {
  const parts = parseStream(stream);
  if (parts === undefined) return NOTHING_COMPARED;
  const held = await heldOf(database, stream, parts);
  const events: LogEvent[] = [];
  for await (const event of log.readStream(stream, 0, new AbortController().signal)) {
    if (event.position > held.upTo) break;
    events.push(event);
  }
  if (events.length === 0 && (await log.isDeleted(stream)))
    return { ...NOTHING_COMPARED, streams: 1, deleted: [stream] };
  const steps = stepsOf(held, events);
  const expected = READ_MODELS.flatMap(({ rowsOf }) => rowsOf(steps));
  const compared = TABLES.filter((table) => isOf(table, parts)).map((table) => ({
    table,
    rows: held.rows.get(table.name) ?? [],
    // As JSON, so that what the rows cannot hold (undefined members) is not missed in them.
    wanted: JSON.parse(
      JSON.stringify(expected.find((one) => one.table === table)?.rows ?? []),
    ) as readonly Row[],
  }));
  return {
    streams: 1,
    events: events.length,
    rows: Object.fromEntries(compared.map(({ table, rows }) => [table.name, rows.length])),
    differences: compared.flatMap(({ table, rows, wanted }) => differencesIn(table, rows, wanted)),
    parked: parkedIn(stream, held),
    skipped: held.skipped,
    deleted: [],
  };
};

/** Streams compared at the same time: what bounds the memory, with the length of a stream. */
const AT_ONCE = 4;

/**
 * Compares every row that the read model has of these streams, in all tables, with what folding the log gives up to where
 * the read model stands. What comes before an event (time, link of the chain) is taken from the rows, so that streams can
 * be compared one by one: when all are right, each was right.
 */
export const compareStreams =
  (sources: Sources) =>
  async (streams: readonly string[], signal?: AbortSignal): Promise<RowsCompared> => {
    let compared = NOTHING_COMPARED;
    for (let at = 0; at < streams.length; at += AT_ONCE) {
      signal?.throwIfAborted();
      const slice = streams.slice(at, at + AT_ONCE);
      const found = await Promise.all(slice.map((stream) => compareStream(sources, stream)));
      compared = found.reduce(addCompared, compared);
    }
    return compared;
  };
