import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import {
  Metadata,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { type Appender } from '../log/appender.js';
import { type EventLog } from '../log/log.js';
import { CallError, invalidArgument, refusalToCallError, toServerError } from '../wire/errors.js';
import { encodeAppended, encodeDeleted } from '../wire/replies.js';
import { type Proposal, type WriteOptions } from '../wire/requests.js';
import {
  acceptUntil,
  appendCollected,
  checkOptions,
  collect,
  type Collected,
  NOTHING_COLLECTED,
} from './proposals.js';

type AppendCall = ServerReadableStream<WriteOptions | Proposal, Buffer>;

const isOptions = (message: WriteOptions | Proposal): message is WriteOptions =>
  'stream' in message;

/** A client that gives up sends the end of its messages first and the reset right behind it. */
const RESET_FOLLOWS_MS = 2;

/** A client's clock runs this far ahead at most when it gives up at its deadline. */
const DEADLINE_MARGIN_MS = 25;

/**
 * A call that is cut off half-way ends like a complete one, so what follows the end decides. Sending the
 * metadata makes grpc-js look at the HTTP/2 stream, and set `cancelled`, without waiting for its close.
 */
const isCutOff = async (call: AppendCall): Promise<boolean> => {
  await delay(RESET_FOLLOWS_MS);
  call.sendMetadata(new Metadata());
  await nextTurn();
  return call.cancelled || Date.now() + DEADLINE_MARGIN_MS >= Number(call.getDeadline());
};

/**
 * Reads the whole call.
 * @throws CallError for events that cannot be taken, before the rest has arrived, and for a cut call
 */
const received = async (
  call: AppendCall,
  maxAppendBytes: number,
): Promise<[WriteOptions, Collected]> => {
  let options: WriteOptions | undefined;
  let collected: Collected = NOTHING_COLLECTED;
  for await (const message of call as AsyncIterable<WriteOptions | Proposal>) {
    if (isOptions(message)) {
      options = message;
      continue;
    }
    if (!options) throw new CallError(status.UNKNOWN, 'The first message has no options.');
    const more = collect(collected, [message], maxAppendBytes);
    if ('kind' in more) throw refusalToCallError(options.stream, more);
    collected = more;
  }
  if (await isCutOff(call))
    throw new CallError(status.CANCELLED, 'The call ended before its last event.');
  if (!options) throw invalidArgument('The call has no options.');
  return [options, collected];
};

const answer = async (log: EventLog, call: AppendCall): Promise<Buffer> => {
  const [options, collected] = await received(call, log.maxAppendBytes);
  const until = acceptUntil(options.deadlineMs);
  const outcome = await appendCollected(log, options, collected, until);
  if (outcome.kind === 'written' || outcome.kind === 'wrong-revision')
    return encodeAppended(outcome);
  throw refusalToCallError(options.stream, outcome);
};

/** `Streams/Append`, the classic call: one append per call, used with per-call credentials. */
export const appendHandler =
  (log: EventLog) =>
  (call: AppendCall, reply: sendUnaryData<Buffer>): void => {
    answer(log, call).then(
      (response) => {
        reply(null, response);
      },
      (error: unknown) => {
        reply(toServerError(error));
      },
    );
  };

type DeleteCall = ServerUnaryCall<WriteOptions, Buffer>;

const answerDelete = async (
  options: WriteOptions,
  remove: Appender['softDelete'],
): Promise<Buffer> => {
  const checked = checkOptions(options);
  const outcome = 'kind' in checked ? checked : await remove(checked.stream, checked.expected);
  if (outcome.kind !== 'written') throw refusalToCallError(options.stream, outcome, 'Delete');
  return encodeDeleted(outcome.position ?? 0);
};

/** `Streams/Delete` and `Streams/Tombstone`, by the write they stand for. */
export const deleteHandler =
  (remove: Appender['softDelete']) =>
  (call: DeleteCall, reply: sendUnaryData<Buffer>): void => {
    answerDelete(call.request, remove).then(
      (response) => {
        reply(null, response);
      },
      (error: unknown) => {
        reply(toServerError(error));
      },
    );
  };
