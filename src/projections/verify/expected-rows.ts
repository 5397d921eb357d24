import { linkAfter } from '../../domain/audit/chain.js';
import { type Position, toPosition } from '../../domain/position.js';
import { skippedEvents } from '../../domain/skipped-events.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { foldEvents, type Refusals, type Step } from '../fold/fold.js';
import { type LinkedStep } from '../fold/link-steps.js';
import { type Tracked } from '../fold/tracked.js';
import { type Row, type Table } from '../projection.js';
import { READ_MODELS } from '../read-models.js';
import { type Held, NOTHING_BEFORE, textIn } from './held-rows.js';

/** How much of one stream is held at a time: a slice ends with the event that reaches either. */
export type Limits = Readonly<{ events: number; bytes: number }>;

export const SLICE: Limits = { events: 500, bytes: 2_000_000 };

const bytesOf = ({ data }: LogEvent): number => {
  try {
    return JSON.stringify([data]).length;
  } catch {
    return SLICE.bytes; // nested too deeply to be ours
  }
};

export type EventSlice = Readonly<{ events: readonly LogEvent[]; isLast: boolean }>;

/** The events of a stream up to a position, slice after slice; the last may be empty. */
export async function* slicesOf(
  log: Pick<EventLog, 'readStream'>,
  stream: string,
  { upTo, limits }: Readonly<{ upTo: Position; limits: Limits }>,
): AsyncGenerator<EventSlice> {
  const stopping = new AbortController();
  let events: LogEvent[] = [];
  let bytes = 0;
  try {
    for await (const event of log.readStream(stream, 0, stopping.signal)) {
      if (event.position > upTo) break;
      events.push(event);
      bytes += bytesOf(event);
      if (events.length < limits.events && bytes < limits.bytes) continue;
      yield { events, isLast: false };
      [events, bytes] = [[], 0];
    }
  } finally {
    stopping.abort();
  }
  yield { events, isLast: true };
}

/** A stream that was parked because Postgres refused an event: the fold alone cannot know that. */
const refusalsIn = ({ rows }: Held): Refusals => {
  const [parked] = rows.get('parked_stream') ?? [];
  const error = textIn(parked, 'error');
  if (parked === undefined || !error.includes('SQLSTATE')) return new Map();
  const at = parked['position'];
  const told = rows.get('audit_event')?.find(({ position }) => position === at);
  const isAuditable = Object.keys(Object(told?.['data']) as object).length > 0;
  return new Map([[toPosition(at as string | number), { error, isAuditable }]]);
};

/** The steps that the log gives (where the stream stood `before` them), each after what the rows say was before it in the log. */
export const stepsOf = (
  held: Held,
  events: readonly LogEvent[],
  before?: Tracked,
): readonly LinkedStep[] => {
  let tracked = before;
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

/** The rows of some tables that steps give. */
export const wantedOf = (
  steps: readonly LinkedStep[],
  isWanted: (table: Table) => boolean,
): ReadonlyMap<Table, readonly Row[]> => {
  const all = READ_MODELS.flatMap(({ rowsOf }) => rowsOf(steps));
  // As JSON, so that what the rows cannot hold (undefined members) is not missed in them.
  return new Map(
    all
      .filter(({ table }) => isWanted(table))
      .map(({ table, rows }) => [table, JSON.parse(JSON.stringify(rows)) as readonly Row[]]),
  );
};
