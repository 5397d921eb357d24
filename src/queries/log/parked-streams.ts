import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';

/** A stream that stands still in front of an event that this version cannot apply. */
export type ParkedStream = Readonly<{
  stream: string;
  category: string;
  /** Revision and position of the event. */
  revision: number;
  position: Position;
  type: string;
  /** RFC 3339: when the event was recorded. */
  recordedAt: string;
  error: string;
  /** Events of the stream behind it, which wait in the log. */
  waiting: number;
  /** Position of the last of them. */
  lastPosition: Position;
}>;

export type ParkedStreams = Readonly<{
  /** All of the organization's. */
  count: number;
  /** The first of them, in log order. */
  items: readonly ParkedStream[];
}>;

const SHOWN = 100;

type Row = Omit<ParkedStream, 'recordedAt'> & Readonly<{ recordedAt: Date; count: number }>;

/** The parked streams of an organization; to be asked again until none is left. */
export const parkedStreams =
  (db: Database) =>
  async (organizationId: string): Promise<ParkedStreams> => {
    const { rows } = await db.query<Row>({
      name: 'parked_streams',
      text: `select p.stream, p.category, p.revision::float8 as revision, p.position,
                    p.type, p.recorded_at as "recordedAt", p.error, p.waiting::float8 as waiting,
                    p.last_position as "lastPosition", count(*) over ()::int as count
               from parked_stream p
              where p.organization_id = $1
              order by p.position
              limit ${SHOWN}`,
      values: [organizationId],
    });
    return {
      count: rows[0]?.count ?? 0,
      items: rows.map(({ count: _, recordedAt, ...row }) => ({
        ...row,
        recordedAt: recordedAt.toISOString(),
      })),
    };
  };
