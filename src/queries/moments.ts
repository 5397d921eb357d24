import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../domain/decider.js';
import { type Position, toPosition } from '../domain/position.js';
import { type Database } from './database.js';
import { sharedRuns } from './recent-answers.js';
import { parseTime } from './time.js';

/** Where the read model stands: the last log position in it (-1: nothing yet), and when that was recorded. */
type ReadPosition = Readonly<{ position: Position; recordedAt: string | null }>;

/**
 * Whether the log goes as far as `upTo`, with nothing of ours behind `after` up to there. A read model at `after` then
 * holds all that it will ever hold of the log up to `upTo`: no projection reaches the events of others one by one.
 */
export type IsOthersOnly = (after: Position, upTo: Position) => Promise<boolean>;

/** For a log that is ours alone. */
export const noOthers: IsOthersOnly = () => Promise.resolve(false);

type Row = { position: Position; recordedAt: Date | null };

/** The position of the last event in the read model; -1 without any. The read model may stand further. */
export const lastEvent = (db: Database) => async (): Promise<Position> => {
  const { rows } = await db.query<{ position: Position | null }>({
    name: 'last_event',
    text: 'select max(e.position) as position from audit_event e',
  });
  return rows[0]?.position ?? -1;
};

export const readPosition = (db: Database) => async (): Promise<ReadPosition> => {
  const { rows } = await db.query<Row>({
    name: 'read_position',
    text: `select coalesce(min(c.position), -1) as position,
                  min(c.recorded_at) as "recordedAt"
             from checkpoint c`,
  });
  const [row] = rows;
  return {
    position: row?.position ?? -1,
    recordedAt: row?.recordedAt?.toISOString() ?? null,
  };
};

const UNDEFINED_TABLE = '42P01';

const isNotMigrated = (error: unknown): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === UNDEFINED_TABLE;

type FirstCatchUp = Readonly<{
  /** Whether the read model has ever held all of the log. Asked until it has, then known for good. */
  isOver: () => Promise<boolean>;
  /** That it is over, as far as was asked. */
  isKnownOver: () => boolean;
  /** @throws DomainError read-model-unavailable, while it is not over */
  require: () => Promise<void>;
}>;

export const firstCatchUp = (db: Database): FirstCatchUp => {
  let isKnown = false;
  const isOver = async (): Promise<boolean> => {
    if (isKnown) return true;
    try {
      const { rows } = await db.query({ text: 'select c.at from chronoflag.caught_up c' });
      isKnown = rows.length > 0;
    } catch (error) {
      if (!isNotMigrated(error)) throw error;
    }
    return isKnown;
  };
  return {
    isOver,
    isKnownOver: () => isKnown,
    require: async () => {
      if (await isOver()) return;
      throw new DomainError(
        'read-model-unavailable',
        'The read model is new and has not caught up with the log yet. Try again shortly.',
      );
    },
  };
};

/** Answers nothing before the first catch-up: what is not in the rows yet may be in the log. */
export const afterCatchUp = (db: Database, catchUp: FirstCatchUp): Database => ({
  query: async (question) => {
    if (!catchUp.isKnownOver()) await catchUp.require();
    return db.query(question);
  },
});

/** What a caller may ask for; at most one of them, none is now. `at` is RFC 3339. */
export type MomentRequest = Readonly<{ at?: string; position?: Position; revision?: number }>;

/** A log position, and everything is taken as it was there. -1 is before the first event. */
export type Moment = Readonly<{ position: Position }>;

/** Clocks of callers may be ahead of ours by this much before a time counts as the future. */
export const CLOCK_TOLERANCE_MS = 60_000;

type TimeRow = { position: Position | null; nextAt: Date | null };

/** The last event up to a time, and when the next one was recorded. */
const aroundTime = async (db: Database, at: Date): Promise<TimeRow> => {
  const { rows } = await db.query<TimeRow>({
    name: 'position_at_time',
    text: `select (select e.position
                     from audit_event e
                    where e.recorded_at <= $1
                    order by e.recorded_at desc, e.position desc
                    limit 1) as position,
                  (select e.recorded_at
                     from audit_event e
                    where e.recorded_at > $1
                    order by e.recorded_at, e.position
                    limit 1) as "nextAt"`,
    values: [at],
  });
  return rows[0] ?? { position: null, nextAt: null };
};

/**
 * Times of the log never go back. After a clock had jumped ahead, events have a time that has not come yet although they
 * happened: what there was between the last right time and now is then not known by time.
 */
const requireCertain = (at: string, nextAt: Date | null): void => {
  if (nextAt === null || nextAt.getTime() <= Date.now() + CLOCK_TOLERANCE_MS) return;
  throw new DomainError(
    'moment-uncertain',
    `A clock had jumped: what happened after the last event up to ${at} was recorded as of ${nextAt.toISOString()}, which has not come yet. Ask for a position or a revision, or leave the moment out for now.`,
  );
};

const latestMs = async (db: Database): Promise<number> => {
  const { recordedAt } = await readPosition(db)();
  return recordedAt === null ? -Infinity : Date.parse(recordedAt);
};

const atTime = async (db: Database, at: string): Promise<Moment> => {
  const { floorMs } = parseTime(at);
  const isFuture = floorMs > Date.now() + CLOCK_TOLERANCE_MS;
  const { position, nextAt } = await aroundTime(db, new Date(floorMs));
  if (isFuture && (await latestMs(db)) < floorMs)
    throw new DomainError(
      'moment-in-future',
      `${at} has not come yet: ask for a time in the past.`,
    );
  if (!isFuture) requireCertain(at, nextAt);
  return { position: position ?? -1 };
};

const atPosition = async (
  db: Database,
  position: Position,
  isOthersOnly: IsOthersOnly,
): Promise<Moment> => {
  const { position: last } = await readPosition(db)();
  if (position <= last || (await isOthersOnly(last, position))) return { position };
  throw new DomainError(
    'moment-in-future',
    `The read model has reached position ${last}, not yet ${position}.`,
  );
};

const atRevision = async (
  db: Database,
  stream: string | undefined,
  revision: number,
): Promise<Moment> => {
  if (stream === undefined) {
    throw new DomainError(
      'invalid-request',
      'Revisions count the changes of one flag or project: ask for a time or a position here.',
    );
  }
  const { rows } = await db.query<{ position: Position | null; last: number | null }>({
    name: 'position_of_revision',
    text: `select (select e.position
                     from audit_event e
                    where e.stream = $1
                      and e.revision = $2) as position,
                  (select max(e.revision)
                     from audit_event e
                    where e.stream = $1)::float8 as last`,
    values: [stream, revision],
  });
  const [found] = rows;
  const last = found?.last ?? null;
  // An unknown stream has no revision at all: looking it up at any moment says what is unknown.
  if (last === null) return readPosition(db)();
  const position = found?.position ?? null;
  if (position !== null) return { position };
  throw new DomainError(
    'revision-not-found',
    `There is no revision ${revision}; the last one is ${last}.`,
  );
};

/**
 * The one log position that a request stands for. A time is the last event recorded at or before it.
 * @param stream whose revisions `revision` counts
 * @throws DomainError several-moments, malformed-time, moment-in-future, moment-uncertain, revision-not-found;
 * invalid-request for a revision without a stream
 */
export const resolveMoment = (
  db: Database,
  isOthersOnly: IsOthersOnly = noOthers,
): ((request: MomentRequest, stream?: string) => Promise<Moment>) => {
  const readNow = sharedRuns(readPosition(db));
  return async ({ at, position, revision }, stream) => {
    if ([at, position, revision].filter((given) => given !== undefined).length > 1) {
      throw new DomainError('several-moments', 'Give only one of "at", "position" and "revision".');
    }
    if (at !== undefined) return atTime(db, at);
    if (position !== undefined) return atPosition(db, position, isOthersOnly);
    if (revision !== undefined) return atRevision(db, stream, revision);
    const { position: last } = await readNow();
    return { position: last };
  };
};

/** Reads the later end first: what it says of something unknown is the answer, however quick each query is. */
export const atBothEnds = async <Row>(
  read: (end: Moment) => Promise<Row>,
  from: Moment,
  to: Moment,
): Promise<readonly [from: Row, to: Row]> => {
  const isBackwards = from.position > to.position;
  const later = await read(isBackwards ? from : to);
  const earlier = await read(isBackwards ? to : from);
  return isBackwards ? [later, earlier] : [earlier, later];
};

const NUMBERED = /^(position|revision):(\d{1,19})$/;

/** One end of a diff: `position:<n>`, `revision:<n>`, `now`, or an RFC 3339 time (checked when it is resolved). */
export const parseMoment = (text: string): MomentRequest => {
  if (text === 'now') return {};
  const [, unit, digits] = NUMBERED.exec(text) ?? [];
  if (unit === 'position') return { position: toPosition(digits ?? '') };
  if (unit === 'revision') return { revision: Number(digits) };
  return { at: text };
};

/** When the last event at or before a log position was recorded. Milliseconds since 1970; 0 before the first event. */
export const recordedAtPosition =
  (db: Database) =>
  async (position: Position): Promise<number> => {
    const { rows } = await db.query<{ recordedAt: Date }>({
      name: 'recorded_at_position',
      text: `select e.recorded_at as "recordedAt"
               from audit_event e
              where e.position <= $1
              order by e.position desc
              limit 1`,
      values: [position],
    });
    return rows[0]?.recordedAt.getTime() ?? 0;
  };

const DEFAULT_TIMEOUT_MS = 2000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

const notReached = (wanted: Position, { position, recordedAt }: ReadPosition): DomainError => {
  const since = recordedAt === null ? 'has nothing yet' : `has all up to ${recordedAt}`;
  return new DomainError(
    'position-not-reached',
    `The read model stands at position ${position} and ${since}; it is ${BigInt(wanted) - BigInt(position)} behind position ${wanted}. Try again shortly.`,
  );
};

/** `timeoutMs`: how long to wait at most. */
type WaitOptions = Readonly<{ timeoutMs?: number; isOthersOnly?: IsOthersOnly }>;

/**
 * Read-your-writes: resolves once the read model holds all of ours up to `wanted`: a position a command answered with,
 * or the end of the log.
 * @throws DomainError position-not-reached
 */
export const waitForPosition =
  (db: Database, { timeoutMs = DEFAULT_TIMEOUT_MS, isOthersOnly = noOthers }: WaitOptions = {}) =>
  async (wanted: Position): Promise<ReadPosition> => {
    const deadline = performance.now() + timeoutMs;
    let lookedFrom: Position | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const reached = await readPosition(db)();
      if (reached.position >= wanted) return reached;
      // Ours comes within milliseconds; what does not may be an event of others, which no projection reaches.
      if (pauseMs === LONGEST_PAUSE_MS && lookedFrom !== reached.position) {
        lookedFrom = reached.position;
        if (await isOthersOnly(reached.position, wanted)) return reached;
      }
      if (performance.now() + pauseMs > deadline) throw notReached(wanted, reached);
      await delay(pauseMs);
    }
  };
