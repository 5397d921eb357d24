import { linkAfter } from '../../domain/audit/chain.js';
import { type Json, sameJson } from '../../domain/json.js';
import { toPosition } from '../../domain/position.js';
import { skippedEvents } from '../../domain/skipped-events.js';
import { parseStream } from '../../domain/streams.js';
import {
  addCompared,
  NOTHING_COMPARED,
  type RowDifference,
  type RowsCompared,
} from '../../domain/verification.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { foldEvents, type Refusals, type Step } from '../fold/fold.js';
import { type Tracked } from '../fold/tracked.js';
import { type LinkedStep } from '../fold/link-steps.js';
import { READ_MODELS } from '../read-models.js';
import { isOf } from '../write-rows.js';
import { type Database, keyText, type Row, type Table } from '../projection.js';
import { type Asked, type Held, heldOf, NOTHING_BEFORE, type Stored, TABLES } from './held-rows.js';

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

const compareStream = async (
  log: Sources['log'],
  { stream, parts }: Asked,
  held: Held,
): Promise<RowsCompared> => {
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
const AT_ONCE = 8;

const compareSlice = async (
  { database, log }: Sources,
  streams: readonly string[],
): Promise<readonly RowsCompared[]> => {
  const asked = streams.flatMap((stream): readonly Asked[] => {
    const parts = parseStream(stream);
    return parts === undefined ? [] : [{ stream, parts }];
  });
  const categories = [...new Set(asked.map(({ parts }) => parts.category))];
  const compared = categories.map(async (category) => {
    const some = asked.filter(({ parts }) => parts.category === category);
    const held = await heldOf(database, category, some);
    return Promise.all(some.map((one) => compareStream(log, one, held(one.stream))));
  });
  return (await Promise.all(compared)).flat();
};

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
      const found = await compareSlice(sources, streams.slice(at, at + AT_ONCE));
      compared = found.reduce(addCompared, compared);
    }
    return compared;
  };
