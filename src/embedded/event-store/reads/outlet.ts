import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { toServerError } from '../wire/server-error.js';

/** A Read call as grpc-js hands it over; it answers encoded messages. */
export type ReadCall = ServerWritableStream<ReadReq, Buffer>;

/** The sending side of a Read call, paced by its reader. */
export type Outlet = Readonly<{
  isOpen: () => boolean;
  /** Sends a message; a promise when the reader is behind, to be awaited before the next one. */
  write: (message: Buffer) => Promise<void> | undefined;
  /** Waits for `wake`, at once when it was called since the last wait. */
  wait: () => Promise<void>;
  wake: () => void;
  /** Ends the call, with this error or well. */
  end: (error?: unknown) => void;
}>;

/** A latch: wakes one waiter, or the next one when nobody waits. */
const latch = () => {
  let isSet = false;
  let release: (() => void) | undefined;
  return {
    wake: () => {
      isSet = true;
      release?.();
    },
    wait: async () => {
      if (!isSet)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      isSet = false;
      release = undefined;
    },
  };
};

/** What may wait for a reader before the next message is held back: bytes, because Node counts messages. */
const MAX_QUEUED_BYTES = 64 * 1024;

/** Wraps a call; cancellation and deadlines close the outlet. */
export const outletOf = (call: ReadCall): Outlet => {
  const { wake, wait } = latch();
  let hasEnded = false;
  let queuedBytes = 0;
  const isOpen = () => !hasEnded && !call.cancelled && !call.destroyed;
  for (const event of ['drain', 'cancelled', 'close', 'error']) call.on(event, wake);

  const isBehind = () => call.writableNeedDrain || queuedBytes > MAX_QUEUED_BYTES;
  const drained = async (): Promise<void> => {
    while (isOpen() && isBehind()) await wait();
  };

  const send = (message: Buffer): void => {
    queuedBytes += message.length;
    call.write(message, () => {
      const wasBehind = isBehind();
      queuedBytes -= message.length;
      if (wasBehind && !isBehind()) wake();
    });
  };

  return {
    isOpen,
    write: (message) => {
      send(message);
      return isBehind() ? drained() : undefined;
    },
    wait,
    wake,
    end: (error) => {
      if (!isOpen()) return;
      hasEnded = true;
      if (error === undefined) call.end();
      else call.emit('error', toServerError(error));
      wake();
    },
  };
};
