import { type Pool } from 'pg';
import { type Position } from '../domain/position.js';
import { type EventLog } from '../projections/event-log.js';

export const OLDER_LOG =
  'the event store (EVENTSTORE_URL) ends before events that Postgres (DATABASE_URL) holds: it was restored from an older ' +
  'back-up. Bring the newer one back, or stop all processes and run `npm run projections -- rebuild`, which lists what ' +
  'is lost; with --accept-loss it goes on without it';

/** How many of the last events in the read model are looked for in the log: one that is there proves enough. */
const LOOKED_FOR = 10;

type Row = Readonly<{ id: string; stream: string; revision: number; position: Position }>;

/** The last events in the read model, newest first. */
const lastRows = async (pool: Pool): Promise<readonly Row[]> => {
  const { rows } = await pool.query<Row>(
    `select e.event_id as id, e.stream, e.revision::float8 as revision, e.position
       from audit_event e
      order by e.position desc
      limit ${LOOKED_FOR}`,
  );
  return rows;
};

type Found = 'there' | 'lost' | 'no stream';

/** The first event of ours from a revision on; undefined: none. */
const eventFrom = async (log: EventLog, stream: string, revision: number) => {
  const ends = new AbortController();
  try {
    for await (const event of log.readStream(stream, revision, ends.signal)) return event;
    return undefined;
  } finally {
    ends.abort();
  }
};

const find = async (log: EventLog, { id, stream, revision }: Row): Promise<Found> => {
  const found = await eventFrom(log, stream, revision);
  if (found !== undefined) return found.id === id ? 'there' : 'lost';
  return (await eventFrom(log, stream, 0)) === undefined ? 'no stream' : 'lost';
};

/** Whether the log has one of the last events of the read model; undefined when the read model is empty. */
export const holdsReadModel = async (pool: Pool, log: EventLog): Promise<boolean | undefined> => {
  const rows = await lastRows(pool);
  for (const row of rows) if ((await find(log, row)) === 'there') return true;
  return rows.length === 0 ? undefined : false;
};

/**
 * Whether the log ends before events that the read model holds. A stream that is not there at all may have been deleted
 * in the store: that counts only when the log ends before the place of its event.
 */
export const isOlderLog = async (pool: Pool, log: EventLog): Promise<boolean> => {
  for (const row of await lastRows(pool)) {
    if (await log.isDeleted(row.stream)) continue;
    const found = await find(log, row);
    if (found === 'there') return false;
    if (found === 'lost' || (await log.head()) < row.position) return true;
  }
  return false;
};
