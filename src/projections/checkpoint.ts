import { type Transaction } from './projection.js';

/** Where rows stand: the last log position considered (-1: nothing yet), and the latest time of an event so far. */
export type Checkpoint = Readonly<{ position: number; recordedAt: string | null }>;

export const BEGINNING: Checkpoint = { position: -1, recordedAt: null };

/** The checkpoint is not where this process left it: another one leads, or a rebuild took its place. */
export class CheckpointMoved extends Error {
  override readonly name = 'CheckpointMoved';
}

export const loadCheckpoint = async (tx: Transaction, projection: string): Promise<Checkpoint> => {
  const { rows } = await tx.query(
    `select c.position, c.recorded_at
       from checkpoint c
      where c.projection = $1`,
    [projection],
  );
  const [row] = rows;
  if (row === undefined) return BEGINNING;
  const { position, recorded_at: recordedAt } = row;
  return {
    position: Number(position),
    recordedAt: recordedAt instanceof Date ? recordedAt.toISOString() : null,
  };
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
