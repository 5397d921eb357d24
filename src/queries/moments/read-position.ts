import { type Database } from '../database.js';

/** Where the read model stands: the last log position in it (-1: nothing yet), and when that was recorded. */
export type ReadPosition = Readonly<{ position: number; recordedAt: string | null }>;

type Row = { position: number; recordedAt: Date | null };

export const readPosition = (db: Database) => async (): Promise<ReadPosition> => {
  const { rows } = await db.query<Row>({
    name: 'read_position',
    text: `select coalesce(min(c.position), -1)::float8 as position,
                  min(c.recorded_at) as "recordedAt"
             from checkpoint c`,
  });
  const [row] = rows;
  return {
    position: row?.position ?? -1,
    recordedAt: row?.recordedAt?.toISOString() ?? null,
  };
};
