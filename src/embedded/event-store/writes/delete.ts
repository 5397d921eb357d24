import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type { Appender } from '../log/appender.js';
import { refusalToCallError } from '../wire/errors.js';
import { encodeDeleted } from '../wire/replies.js';
import type { WriteOptions } from '../wire/requests.js';
import { toServerError } from '../wire/server-error.js';
import { checkOptions } from './proposals.js';

type DeleteCall = ServerUnaryCall<WriteOptions, Buffer>;

const answer = async (options: WriteOptions, remove: Appender['softDelete']): Promise<Buffer> => {
  const checked = checkOptions(options);
  const outcome = 'kind' in checked ? checked : await remove(checked.stream, checked.expected);
  if (outcome.kind !== 'written') throw refusalToCallError(options.stream, outcome, 'Delete');
  return encodeDeleted(outcome.position ?? 0);
};

/** `Streams/Delete` and `Streams/Tombstone`, by the write they stand for. */
export const deleteHandler =
  (remove: Appender['softDelete']) =>
  (call: DeleteCall, reply: sendUnaryData<Buffer>): void => {
    answer(call.request, remove).then(
      (response) => {
        reply(null, response);
      },
      (error: unknown) => {
        reply(toServerError(error));
      },
    );
  };
