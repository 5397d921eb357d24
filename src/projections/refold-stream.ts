import { type Position } from '../domain/position.js';
import { skippedBy } from '../domain/skipped-events.js';
import { parseStream } from '../domain/streams.js';
import { type EventLog, type LogEvent } from './event-log.js';
import { type Refusals, type Step } from './fold/fold.js';
import { streamSteps } from './fold/replay.js';
import { loadSkipped } from './fold/tracked-streams.js';
import { DataRefused, type Transaction } from './projection.js';
import { dropStreamRows, writeStreamRows } from './write-rows.js';

type Log = Pick<EventLog, 'readStream'>;

/** Our events of a stream, from a revision up to a log position. */
export const eventsUpTo = async (
  { readStream }: Log,
  stream: string,
  [from, upTo]: readonly [revision: number, position: Position],
): Promise<readonly LogEvent[]> => {
  const stopping = new AbortController();
  const events: LogEvent[] = [];
  try {
    for await (const event of readStream(stream, from, stopping.signal)) {
      if (event.position > upTo) break;
      events.push(event);
    }
  } finally {
    stopping.abort();
  }
  return events;
};

/** The times that the audit trail has for the events of a stream; those of the log itself are not monotone. */
export const recordedTimes = async (tx: Transaction, stream: string, revision: number) => {
  const { rows } = await tx.query(
    `select e.position, e.recorded_at
       from audit_event e
      where e.stream = $1
        and e.revision >= $2`,
    [stream, revision],
  );
  const times = new Map(
    rows.map((row) => [row['position'] as Position, (row['recorded_at'] as Date).toISOString()]),
  );
  return ({ position, recordedAt }: LogEvent): string => times.get(position) ?? recordedAt;
};

type Fold = (refusals: Refusals) => readonly Step[];

/** Event by event, so that one whose rows Postgres refuses parks the stream there. */
const writeOneByOne = async (tx: Transaction, fold: Fold): Promise<readonly Step[]> => {
  let steps = fold(new Map());
  for (let nth = 0; nth < steps.length; nth += 1) {
    await tx.query('savepoint step');
    try {
      await writeStreamRows(tx, steps.slice(nth, nth + 1));
    } catch (error) {
      const at = steps[nth]?.event.position;
      if (!(error instanceof DataRefused) || at === undefined) throw error;
      await tx.query('rollback to savepoint step');
      steps = fold(new Map([[at, { error: error.message, isAuditable: true }]]));
      await writeStreamRows(tx, steps.slice(nth));
      return steps;
    }
  }
  return steps;
};

const write = async (tx: Transaction, fold: Fold): Promise<readonly Step[]> => {
  const steps = fold(new Map());
  await tx.query('savepoint whole');
  try {
    await writeStreamRows(tx, steps);
    return steps;
  } catch (error) {
    if (!(error instanceof DataRefused)) throw error;
    await tx.query('rollback to savepoint whole');
    return writeOneByOne(tx, fold);
  }
};

/** The streams of which one of these events says that an event is skipped. */
export const skippedIn = (events: readonly LogEvent[]): readonly string[] => [
  ...new Set(
    events.flatMap((event) => {
      const stream = skippedBy(event)?.stream;
      return stream !== undefined && parseStream(stream) !== undefined ? [stream] : [];
    }),
  ),
];

/**
 * Makes all rows of a stream anew from its events, without those that are skipped: as if they had never been there. The
 * audit trail has them, and keeps them.
 */
const refoldStream = async (
  tx: Transaction,
  log: Log,
  [stream, upTo]: readonly [stream: string, position: Position],
): Promise<readonly Step[]> => {
  const events = await eventsUpTo(log, stream, [0, upTo]);
  const recordedAt = await recordedTimes(tx, stream, 0);
  const skipped = await loadSkipped(tx);
  await dropStreamRows(tx, stream);
  return write(tx, (refusals) => streamSteps(events, undefined, { refusals, skipped, recordedAt }));
};

/** What becomes of the streams of which these steps say that an event is skipped, up to a position. */
export const refoldSkipped = async (
  tx: Transaction,
  log: Log,
  [steps, upTo]: readonly [steps: readonly Step[], position: Position],
): Promise<readonly Step[]> => {
  const said = steps.filter(({ after }) => after.category !== 'parked').map(({ event }) => event);
  const all: Step[] = [];
  for (const stream of skippedIn(said)) all.push(...(await refoldStream(tx, log, [stream, upTo])));
  return all;
};
