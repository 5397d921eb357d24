import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';

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
