import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import type { EventLog } from '../log/log.js';
import { encodeAppended } from '../wire/append-replies.js';
import { invalidArgument, refusalToCallError } from '../wire/errors.js';
import type { Proposal, WriteOptions } from '../wire/requests.js';
import { toServerError } from '../wire/server-error.js';
import {
  acceptUntil,
  appendCollected,
  collect,
  NOTHING_COLLECTED,
  type Collected,
} from './proposals.js';

type AppendCall = ServerReadableStream<WriteOptions | Proposal, Buffer>;

const isOptions = (message: WriteOptions | Proposal): message is WriteOptions =>
  'stream' in message;

/** Reads the whole call. @throws CallError for events that cannot be taken, before the rest has arrived */
const received = async (call: AppendCall): Promise<[WriteOptions, Collected]> => {
  let options: WriteOptions | undefined;
  let collected: Collected = NOTHING_COLLECTED;
  for await (const message of call as AsyncIterable<WriteOptions | Proposal>) {
    if (isOptions(message)) {
      options = message;
      continue;
    }
    const more = collect(collected, [message]);
    if ('kind' in more) throw refusalToCallError(options?.stream ?? '', more);
    collected = more;
  }
  if (!options) throw invalidArgument('The call has no options.');
  return [options, collected];
};

const answer = async (log: EventLog, call: AppendCall): Promise<Buffer> => {
  const [options, collected] = await received(call);
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
