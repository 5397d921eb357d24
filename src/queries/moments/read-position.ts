import { type Database } from '../database.js';

/** Where the read model stands: the last log position in it (-1: nothing yet), and when that was recorded. */
export type ReadPosition = Readonly<{ position: number; recordedAt: string | null }>;

/**
 * Whether the log goes as far as `upTo`, with nothing of ours behind `after` up to there. A read model at `after` then
 * holds all that it will ever hold of the log up to `upTo`: no projection reaches the events of others one by one.
 */
export type IsOthersOnly = (after: number, upTo: number) => Promise<boolean>;

/** Of a log that is ours alone. */
export const noOthers: IsOthersOnly = () => Promise.resolve(false);

type Row = { position: number; recordedAt: Date | null };

/** The position of the last event in the read model; -1 without any. The read model may stand further. */
export const lastEvent = (db: Database) => async (): Promise<number> => {
  const { rows } = await db.query<{ position: number | null }>({
    name: 'last_event',
    text: 'select max(e.position)::float8 as position from audit_event e',
  });
  return rows[0]?.position ?? -1;
};

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
