import {
  BACKWARDS,
  END,
  FORWARDS,
  type ReadPosition,
  type RecordedEvent,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  type StreamingRead,
} from '@eventstore/db-client';
import { type Position, toPosition } from '../../domain/position.js';
import { withDeadline } from '../waiting.js';
import { type Lease, tieToLease } from './held-client.js';
import { type KurrentConnection } from './connection.js';
import { foreignKind } from './decode.js';

/** An answer is overdue: a server that takes questions and says nothing. */
export const ANSWER_MS = 5_000;

export const silent = (): Error => new Error('The event store does not answer.');

export const positionOf = (after: Position | null): ReadPosition =>
  after === null || after < 0 ? START : { commit: BigInt(after), prepare: BigInt(after) };

/** More than a projection that follows the log can be behind others' events, of which it hears every 1 024th. */
const LOOKED_AT = 4_000;

/** A look at some events, all of which come soon. */
const look = async <T, Resolved>(
  connection: KurrentConnection,
  read: (client: Lease['client']) => StreamingRead<Resolved>,
  judge: (events: AsyncIterable<Resolved>) => Promise<T>,
): Promise<T> => {
  const lease = await connection.lease();
  const reading = read(lease.client);
  reading.on('error', lease.failed);
  tieToLease(reading, lease);
  try {
    return await withDeadline(judge(reading), ANSWER_MS, silent);
  } finally {
    reading.destroy();
  }
};

/** The position of the last event in the log, ours or not; -1 when it is empty. */
export const headOf = (connection: KurrentConnection): Promise<Position> =>
  look(
    connection,
    (client) => client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }),
    async (events) => {
      let position: Position = -1;
      // To its end: the client keeps what was left in the middle.
      for await (const { event, commitPosition } of events)
        position = toPosition(event?.position.commit ?? commitPosition ?? -1);
      return position;
    },
  );

/** Whether somebody deleted a stream of ours for good in the store. */
export const isDeleted = async (
  connection: KurrentConnection,
  stream: string,
): Promise<boolean> => {
  const name = connection.names.inStore(stream);
  try {
    return await look(
      connection,
      (client) => client.readStream(name, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }),
      async (events) => {
        for await (const { event } of events) if (event !== undefined) return false;
        return false;
      },
    );
  } catch (error) {
    if (error instanceof StreamDeletedError) return true;
    if (error instanceof StreamNotFoundError) return false;
    throw error;
  }
};

/**
 * Whether the log goes as far as `upTo`, and nothing of ours is in it behind `after` up to there. False, too, when that
 * is too far to look.
 */
export const isOthersOnly = (
  connection: KurrentConnection,
  after: Position,
  upTo: Position,
): Promise<boolean> => {
  /** Undefined: go on. */
  const judge = (event: RecordedEvent): boolean | undefined => {
    const position = event.position?.commit ?? -1n;
    if (position <= BigInt(after)) return undefined;
    if (position > BigInt(upTo)) return true;
    const stream = connection.names.ours(event.streamId);
    if (stream !== undefined && foreignKind(event, stream) === undefined) return false;
    return position === BigInt(upTo) ? true : undefined;
  };
  return look(
    connection,
    (client) =>
      client.readAll({
        direction: FORWARDS,
        fromPosition: positionOf(after),
        maxCount: LOOKED_AT,
      }),
    async (events) => {
      for await (const { event } of events) {
        const judged = event && judge(event);
        if (judged !== undefined) return judged;
      }
      return false;
    },
  );
};
