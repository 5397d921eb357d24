import type pg from 'pg';
import { later } from '../../src/domain/position.js';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { checksums } from '../../src/infrastructure/postgres/postgres-bulk.js';
import { applyBatch, type Applied } from '../../src/projections/apply-batch.js';
import { BEGINNING, loadCheckpoint, type Checkpoint } from '../../src/projections/checkpoint.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { trackedStreams } from '../../src/projections/fold/tracked-streams.js';
import { READ_MODEL } from '../../src/projections/read-models.js';
import { type Checksum } from '../../src/projections/rebuild/rebuild-database.js';
import { memoryEventLog } from './memory-event-log.js';

export const batchOf = (events: readonly LogEvent[]) => ({
  events,
  position: events.map(({ position }) => position).reduce(later, -1),
  isCaughtUp: false,
});

/** Applies batches one after another, as the consume loop does; stops at poison. The log has no more than they. */
export const applyBatches = async (
  pool: pg.Pool,
  batches: readonly (readonly LogEvent[])[],
  from: Checkpoint = BEGINNING,
): Promise<Applied> => {
  const streams = trackedStreams(memoryEventLog(batches.flat()));
  let applied: Applied = { checkpoint: from, events: 0, parked: [] };
  for (const events of batches) {
    applied = await applyBatch(databaseOn(pool), streams, applied.checkpoint, batchOf(events));
    if (applied.poison !== undefined) break;
  }
  return applied;
};

export const checkpointOf = (pool: pg.Pool): Promise<Checkpoint> =>
  databaseOn(pool).transaction((tx) => loadCheckpoint(tx, READ_MODEL));

/** Every table in one value: equal exactly when all rows are. */
export const allChecksums = async (
  pool: pg.Pool,
  schema = 'read_model',
): Promise<readonly Checksum[]> => {
  const client = await pool.connect();
  try {
    return await checksums(client, schema);
  } finally {
    client.release();
  }
};

/** I3 and F2: the checkpoint is exactly the last position whose rows are there. */
export const lastRowPosition = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query<{ position: string | null }>(
    'select max(a.position) as position from audit_event a',
  );
  return Number(rows[0]?.position ?? -1);
};
