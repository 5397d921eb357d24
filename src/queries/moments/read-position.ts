import { DomainError } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';

/** Where the read model stands: the last log position in it (-1: nothing yet), and when that was recorded. */
export type ReadPosition = Readonly<{ position: Position; recordedAt: string | null }>;

/**
 * Whether the log goes as far as `upTo`, with nothing of ours behind `after` up to there. A read model at `after` then
 * holds all that it will ever hold of the log up to `upTo`: no projection reaches the events of others one by one.
 */
export type IsOthersOnly = (after: Position, upTo: Position) => Promise<boolean>;

/** Of a log that is ours alone. */
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

export type FirstCatchUp = Readonly<{
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
