import { type Position } from '../domain/position.js';
import { type Transaction } from './projection.js';

/** Where rows stand in the log. */
export type Checkpoint = Readonly<{
  /** The last log position considered (-1: nothing yet), which readers are told of. Never before `applied`. */
  position: Position;
  /** The latest time of an event so far. */
  recordedAt: string | null;
  /** The last event in the rows (-1: none). What the log has after it is new, whatever `position` says. */
  applied: Position;
}>;

export const BEGINNING: Checkpoint = { position: -1, recordedAt: null, applied: -1 };

/** The checkpoint is not where this process left it: another one leads, or a rebuild took its place. */
export class CheckpointMoved extends Error {
  override readonly name = 'CheckpointMoved';
}

export const loadCheckpoint = async (tx: Transaction, projection: string): Promise<Checkpoint> => {
  const { rows } = await tx.query(
    `select c.position, c.recorded_at,
            (select max(e.position) from audit_event e) as applied
       from checkpoint c
      where c.projection = $1`,
    [projection],
  );
  const [row] = rows;
  if (row === undefined) return BEGINNING;
  const { position, recorded_at: recordedAt, applied } = row;
  return {
    position: position as Position,
    recordedAt: recordedAt instanceof Date ? recordedAt.toISOString() : null,
    applied: (applied ?? -1) as Position,
  };
};

/** Notes for all processes that the rows have held all of the log. Outlives a rebuild, which only replaces whole rows. */
export const noteCaughtUp = async (tx: Transaction): Promise<void> => {
  await tx.query('insert into chronoflag.caught_up default values on conflict do nothing');
};

/** Events that are read again at a start, to see that none of them was missed. */
const OVERLAP = 100;

/** Where to begin to read the log: some events before the last one in the rows; -1 for its beginning. */
export const overlapPosition = async (tx: Transaction): Promise<Position> => {
  const { rows } = await tx.query(
    'select e.position from audit_event e order by e.position desc offset $1 limit 1',
    [OVERLAP],
  );
  return (rows[0]?.['position'] ?? -1) as Position;
};

const FIRST = `
  insert into checkpoint (projection, position, recorded_at)
  select $1, $2, $3::timestamptz
   where $4 < 0
      on conflict (projection) do nothing`;

const NEXT = `
  update checkpoint
     set position = $2, recorded_at = $3::timestamptz
   where projection = $1
     and position = $4`;

/**
 * Moves the checkpoint, as the first statement of the transaction that writes the rows: whoever is second waits for
 * the row's lock and then fails, so a leader that was paused and replaced can never write.
 * @throws CheckpointMoved when it does not stand at `from`
 */
export const moveCheckpoint = async (
  tx: Transaction,
  projection: string,
  from: Checkpoint,
  to: Checkpoint,
): Promise<void> => {
  const statement = from.position < 0 ? FIRST : NEXT;
  const { rowCount } = await tx.query(statement, [
    projection,
    to.position,
    to.recordedAt,
    from.position,
  ]);
  if (rowCount !== 1)
    throw new CheckpointMoved(`The checkpoint '${projection}' is not at ${from.position}.`);
};

/**
 * Keeps the checkpoint where it is until the transaction ends, so that nobody else writes meanwhile.
 * @throws CheckpointMoved when it does not stand at `from`
 */
export const holdCheckpoint = async (
  tx: Transaction,
  projection: string,
  from: Checkpoint,
): Promise<void> => {
  await moveCheckpoint(tx, projection, from, from);
};

/**
 * For a transaction that found poison and moves nothing: what it has read may be of a later position.
 * @throws CheckpointMoved when it does not stand at `from`
 */
export const confirmCheckpoint = async (
  tx: Transaction,
  projection: string,
  from: Checkpoint,
): Promise<void> => {
  const { position } = await loadCheckpoint(tx, projection);
  if (position !== from.position)
    throw new CheckpointMoved(`The checkpoint '${projection}' is at ${position}.`);
};
