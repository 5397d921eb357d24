import { DomainError } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { parseTime } from './parse-time.js';
import { type IsOthersOnly, noOthers, readPosition } from './read-position.js';

/** What a caller may ask for; at most one of them, none is now. `at` is RFC 3339. */
export type MomentRequest = Readonly<{ at?: string; position?: Position; revision?: number }>;

/** A log position, and everything is taken as it was there. -1 is before the first event. */
export type Moment = Readonly<{ position: Position }>;

/** Clocks of callers may be ahead of ours by this much before a time counts as the future. */
const CLOCK_TOLERANCE_MS = 60_000;

const atTime = async (db: Database, at: string): Promise<Moment> => {
  const { floorMs } = parseTime(at);
  if (floorMs > Date.now() + CLOCK_TOLERANCE_MS) {
    throw new DomainError(
      'moment-in-future',
      `${at} has not come yet: ask for a time in the past.`,
    );
  }
  const { rows } = await db.query<Moment>({
    name: 'position_at_time',
    text: `select e.position as position
             from audit_event e
            where e.recorded_at <= $1
            order by e.recorded_at desc, e.position desc
            limit 1`,
    values: [new Date(floorMs)],
  });
  return rows[0] ?? { position: -1 };
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
    `The read model has the log up to position ${last}, not yet position ${position}.`,
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
  // Of an unknown stream there is no revision at all: looking it up at any moment tells what is unknown.
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
 * @throws DomainError several-moments, malformed-time, moment-in-future, revision-not-found;
 * invalid-request for a revision without a stream
 */
export const resolveMoment =
  (db: Database, isOthersOnly: IsOthersOnly = noOthers) =>
  async ({ at, position, revision }: MomentRequest, stream?: string): Promise<Moment> => {
    if ([at, position, revision].filter((given) => given !== undefined).length > 1) {
      throw new DomainError('several-moments', 'Ask for one of "at", "position" and "revision".');
    }
    if (at !== undefined) return atTime(db, at);
    if (position !== undefined) return atPosition(db, position, isOthersOnly);
    if (revision !== undefined) return atRevision(db, stream, revision);
    const { position: last } = await readPosition(db)();
    return { position: last };
  };
