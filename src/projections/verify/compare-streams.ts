import { toPosition } from '../../domain/position.js';
import { parseStream } from '../../domain/streams.js';
import {
  addCompared,
  KEPT,
  NOTHING_COMPARED,
  type RowDifference,
  type RowsCompared,
} from '../../domain/verification.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { type LinkedStep } from '../fold/link-steps.js';
import { comparedRows, type Pair } from './row-differences.js';
import { isOf } from '../write-rows.js';
import { type Database, type Row, type Table } from '../projection.js';
import {
  type Asked,
  atOneMoment,
  END,
  FRONT,
  type Held,
  heldOf,
  isOfEvents,
  isOfRevisions,
  longStreams,
  TABLES,
  type Slice,
  textIn,
} from './held-rows.js';
import {
  type EventSlice,
  type Limits,
  SLICE,
  slicesOf,
  stepsOf,
  wantedOf,
} from './expected-rows.js';

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
  for await (const slice of slicesOf(log, stream, { upTo: held.upTo, limits: SLICE }))
    events.push(...slice.events);
  if (events.length === 0 && (await log.isDeleted(stream)))
    return { ...NOTHING_COMPARED, streams: 1, deleted: [stream] };
  const wanted = wantedOf(stepsOf(held, events), (table) => isOf(table, parts));
  const pairs = TABLES.filter((table) => isOf(table, parts)).map((table) => ({
    table,
    rows: held.rows.get(table.name) ?? [],
    wanted: wanted.get(table) ?? [],
  }));
  const found = { events: events.length, parked: parkedIn(stream, held), skipped: held.skipped };
  return { ...NOTHING_COMPARED, ...comparedRows(pairs), streams: 1, ...found };
};

/** How far a long stream has been compared. */
type Walk = Readonly<{
  compared: RowsCompared;
  /** The last event that was read. */
  last?: LogEvent | undefined;
  /** Where the stream stands after it. */
  end?: LinkedStep | undefined;
  /** Its first state, and its latest: the row of that revision waits for the next one, which ends it. */
  first?: LinkedStep | undefined;
  open?: LinkedStep | undefined;
  waiting: readonly Row[];
  /** Rows that are compared at the end although every step may give one. */
  gathered: readonly Row[];
}>;

const given = <T>(...values: readonly (T | undefined)[]): readonly T[] =>
  values.filter((value) => value !== undefined);

/** Rows of the table of revisions: those that have ended, and those that are still open. */
const revisionPair = (
  table: Table,
  [rows, wanted]: readonly [readonly Row[], readonly Row[]],
  open: LinkedStep | undefined,
): Readonly<{ pair: Pair; waiting: readonly Row[] }> => {
  const hasEnded = ({ revision }: Row): boolean =>
    open === undefined || toPosition(revision as string | number) < open.event.revision;
  return {
    pair: { table, rows: rows.filter(hasEnded), wanted: wanted.filter(hasEnded) },
    waiting: rows.filter((row) => !hasEnded(row)),
  };
};

const isGathered = ({ name }: Table): boolean => name === 'skipped_event';
const isAtEnd = (table: Table): boolean => !isOfEvents(table) && !isOfRevisions(table);

/** Rows of the tables with the current state, between where the walk began and ended. */
const pairsAtEnd = ({ first, open, end, gathered }: Walk, held: Held, tables: readonly Table[]) => {
  const wanted = wantedOf(given(first, open, end), isAtEnd);
  return tables.filter(isAtEnd).map((table): Pair => {
    const rows = held.rows.get(table.name) ?? [];
    return { table, rows, wanted: isGathered(table) ? gathered : (wanted.get(table) ?? []) };
  });
};

/** All differences of a stream in the order of the tables, as if it had been compared in one piece. */
const addSlice = (left: RowsCompared, right: RowsCompared): RowsCompared => {
  const placeOf = ({ table }: RowDifference): number =>
    TABLES.findIndex(({ name }) => name === table);
  const differences = [...left.differences, ...right.differences]
    .toSorted((one, other) => placeOf(one) - placeOf(other))
    .slice(0, KEPT);
  return { ...addCompared(left, right), differences };
};

/** Rows of the tables that have one for each event or revision. */
const pairsOfSlice = (
  { open, waiting }: Walk,
  [held, steps]: readonly [Held, readonly LinkedStep[]],
  still: LinkedStep | undefined,
): Readonly<{ pairs: readonly Pair[]; waiting: readonly Row[] }> => {
  const ofEvents = wantedOf(steps, isOfEvents);
  const ofRevisions = wantedOf([...given(open), ...steps], isOfRevisions);
  const heldIn = ({ name }: Table): readonly Row[] => held.rows.get(name) ?? [];
  const pairs = TABLES.filter(isOfEvents).map((table): Pair => ({
    table,
    rows: heldIn(table),
    wanted: ofEvents.get(table) ?? [],
  }));
  const revisions = TABLES.find((table) => isOfRevisions(table) && held.rows.has(table.name));
  const [table = revisions] = [...ofRevisions].flatMap(([one, { length }]) =>
    length > 0 ? one : [],
  );
  if (table === undefined) return { pairs, waiting };
  const both = [[...waiting, ...heldIn(table)], ofRevisions.get(table) ?? []] as const;
  const ended = revisionPair(table, both, still);
  return { pairs: [...pairs, ended.pair], waiting: ended.waiting };
};

const afterSlice = (
  { stream, parts }: Asked,
  held: Held,
  walk: Walk,
  { events, isLast }: EventSlice,
): Walk => {
  const steps = stepsOf(held, events, walk.end?.after);
  const states = steps.filter(({ after }) => after.category === parts.category);
  const { first = states[0], last, end } = walk;
  const open = states.at(-1) ?? walk.open;
  const { pairs, waiting } = pairsOfSlice(walk, [held, steps], isLast ? undefined : open);
  const skips = [...wantedOf(steps, isGathered).values()].flat();
  const next: Walk = {
    ...{ first, open, end: steps.at(-1) ?? end, last: events.at(-1) ?? last },
    ...{ waiting, gathered: [...walk.gathered, ...skips], compared: walk.compared },
  };
  const found = { ...NOTHING_COMPARED, ...comparedRows(pairs), events: events.length };
  const compared = addSlice(walk.compared, found);
  if (!isLast) return { ...next, compared };
  const tables = TABLES.filter((table) => isOf(table, parts));
  const atEnd = {
    ...{ ...NOTHING_COMPARED, ...comparedRows(pairsAtEnd(next, held, tables)), streams: 1 },
    ...{ parked: parkedIn(stream, held), skipped: held.skipped },
  };
  return { ...next, compared: addSlice(compared, atEnd) };
};

/** What is asked for between the event that was read before and the last of a slice. */
const sliceFrom = (before: LogEvent | undefined, to: LogEvent | undefined): Slice => {
  const { position: after = FRONT, revision = FRONT } = before ?? {};
  const { position: upTo = END, revision: lastRevision = END } = to ?? {};
  return { positions: [after, upTo], revisions: [revision, lastRevision] };
};

/** A stream that is too long to be held: slice by slice, and what is now at the end. */
const compareLong = (
  { database, log }: Sources,
  [asked, limits]: readonly [Asked, Limits],
  signal?: AbortSignal,
): Promise<RowsCompared> =>
  atOneMoment(database, async (moment) => {
    let walk: Walk = { compared: NOTHING_COMPARED, waiting: [], gathered: [] };
    for await (const slice of slicesOf(log, asked.stream, { upTo: moment.upTo, limits })) {
      signal?.throwIfAborted();
      const last = slice.events.at(-1);
      if ((last ?? walk.last) === undefined && (await log.isDeleted(asked.stream)))
        return { ...NOTHING_COMPARED, streams: 1, deleted: [asked.stream] };
      const between = sliceFrom(walk.last, slice.isLast ? undefined : last);
      const held = await heldOf(moment, asked.parts.category, [asked], between);
      walk = afterSlice(asked, held(asked.stream), walk, slice);
    }
    return walk.compared;
  });

/** Streams compared at the same time: what bounds the memory, with the length of a slice. */
const AT_ONCE = 8;

const compareShort = async (
  { database, log }: Sources,
  asked: readonly Asked[],
): Promise<readonly RowsCompared[]> => {
  const categories = [...new Set(asked.map(({ parts }) => parts.category))];
  const compared = categories.map(async (category) => {
    const some = asked.filter(({ parts }) => parts.category === category);
    const held = await atOneMoment(database, (moment) => heldOf(moment, category, some));
    return Promise.all(some.map((one) => compareStream(log, one, held(one.stream))));
  });
  return (await Promise.all(compared)).flat();
};

/**
 * Compares every row that the read model has of these streams, in all tables, with what folding the log gives up to where
 * the read model stands. What comes before an event (time, link of the chain) is taken from the rows, so that streams can
 * be compared one by one: when all are right, each was right. Long streams are compared slice by slice, one at a time.
 */
export const compareStreams =
  (sources: Sources, limits = SLICE) =>
  async (streams: readonly string[], signal?: AbortSignal): Promise<RowsCompared> => {
    const asked = streams.flatMap((stream): readonly Asked[] => {
      const parts = parseStream(stream);
      return parts === undefined ? [] : [{ stream, parts }];
    });
    const long = await longStreams(sources.database, streams, limits);
    const short = asked.filter(({ stream }) => !long.has(stream));
    let compared = NOTHING_COMPARED;
    for (let at = 0; at < short.length; at += AT_ONCE) {
      signal?.throwIfAborted();
      const found = await compareShort(sources, short.slice(at, at + AT_ONCE));
      compared = found.reduce(addCompared, compared);
    }
    for (const one of asked.filter(({ stream }) => long.has(stream)))
      compared = addCompared(compared, await compareLong(sources, [one, limits], signal));
    return compared;
  };
