import { userInfo } from 'node:os';
import type pg from 'pg';
import { type Print } from './rebuild-report.js';
import { type Config } from '../config.js';
import { type Position, positionInJson } from '../domain/position.js';
import { type EventPlace, SKIPPED_EVENTS_STREAM, skippedBy } from '../domain/skipped-events.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { masterKeyOf, migrated, requireOneInstallation } from '../composition/prepare.js';
import { serviceEvents } from '../composition/service-events.js';
import { connectEventStore, type Services } from '../composition/services.js';
import { pause } from '../infrastructure/waiting.js';

/** `by`: who asks; undefined for the user of this machine. */
export type SkipAsked = EventPlace & Readonly<{ reason: string; by?: string | undefined }>;

type Parked = Readonly<{ revision: number; position: Position; type: string; error: string }>;

const parkedAt = async (pool: pg.Pool, stream: string): Promise<Parked | undefined> => {
  const { rows } = await pool.query<Parked>(
    `select p.revision::float8 as revision, p.position, p.type, p.error
       from parked_stream p
      where p.stream = $1`,
    [stream],
  );
  return rows[0];
};

/** A projector applies it in moments, when one runs. */
const LOOKS = 50;
const LOOK_MS = 100;

/** Whether the stream stands at this event no more. */
const isPassed = async (pool: pg.Pool, { stream, revision }: EventPlace): Promise<boolean> => {
  for (let looks = 1; ; looks += 1) {
    if ((await parkedAt(pool, stream))?.revision !== revision) return true;
    if (looks === LOOKS) return false;
    await pause(LOOK_MS);
  }
};

/** Why it may not be skipped, and what to do instead. */
const refusalOf = ({ stream, revision }: EventPlace, parked: Parked | undefined) => {
  if (parked === undefined)
    return `${stream} is not parked, so nothing of it can be skipped. 'status' lists the streams that are.`;
  if (parked.revision !== revision)
    return `${stream} stands at its event ${parked.revision}, ${parked.type}: only that one can be skipped (--revision ${parked.revision}).`;
  return undefined;
};

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
};

type Work = Readonly<{ store: ReturnType<typeof kurrentEventStore>; pool: pg.Pool; print: Print }>;

const skip = async (asked: SkipAsked, { store, pool, print }: Work): Promise<number> => {
  const { stream, revision, reason, by = userName() } = asked;
  const what = `Event ${revision} of ${stream}`;
  const { events } = await store.read(SKIPPED_EVENTS_STREAM);
  const isSaid = events.some((event) => {
    const place = skippedBy(event);
    return place?.stream === stream && place.revision === revision;
  });
  if (!isSaid) {
    const parked = await parkedAt(pool, stream);
    const refusal = refusalOf(asked, parked);
    if (refusal !== undefined || parked === undefined) {
      print(refusal ?? '');
      return 1;
    }
    const { position, type, error } = parked;
    await serviceEvents(store, () => undefined).skipped({
      ...{ stream, revision, position: positionInJson(position), type, error, reason, by },
    });
  }
  print(`${what} ${isSaid ? 'was skipped before' : 'is skipped from now on'}.`);
  const isDone = await isPassed(pool, asked);
  print(isDone ? 'The stream continues.' : 'The stream continues as soon as a projector runs.');
  return 0;
};

/** Says in the log that the event at which a stream is parked is skipped. @returns the process's exit code */
export const skipCommand = async (
  config: Config,
  { eventStoreUrl, databaseUrl }: Pick<Services, 'eventStoreUrl' | 'databaseUrl'>,
  asked: SkipAsked,
  print: Print,
): Promise<number> => {
  const masterKey = await masterKeyOf(config);
  await migrated(databaseUrl, masterKey);
  const connection = connectEventStore(config, eventStoreUrl);
  const pool = createPool({ url: databaseUrl, max: 1 });
  try {
    await requireOneInstallation({ databaseUrl, connection, masterKey }, 'mark');
    return await skip(asked, { store: kurrentEventStore(connection), pool, print });
  } finally {
    await pool.end();
    await connection.close();
  }
};
