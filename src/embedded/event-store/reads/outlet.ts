import { type ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream } from '@grpc/grpc-js';
import { type EventLog } from '../log/log.js';
import { isReadable, oldestRevision } from '../log/readable.js';
import { type Entry } from '../storage/reader.js';
import { toServerError } from '../wire/errors.js';
import { decodeFrame, encodeResolvedLink } from '../wire/frame.js';

/** The calls that would run for ever; `endAll` ends them with one error when the server stops. */
export type OpenCalls = Readonly<{
  /** Returns what to call when the call is over. */
  add: (end: (error: Error) => void) => () => void;
  endAll: (error: Error) => void;
}>;

/** An empty register of calls. */
export const openCalls = (): OpenCalls => {
  const ends = new Set<(error: Error) => void>();
  return {
    add: (end) => {
      ends.add(end);
      return () => {
        ends.delete(end);
      };
    },
    endAll: (error) => {
      for (const end of ends) end(error);
    },
  };
};

/** The type of an event whose data, `revision@stream`, points to another one. */
const LINK_TYPE = '$>';
/** A number as .NET reads it, then a stream. */
const LINK = /^\s*([+-]?\d+)\s*@(.*)$/s;
const MAX_LONG = 2n ** 63n - 1n;

/** Where a link points to; undefined when its data is not a link's. */
const parseLink = (data: string): { revision: bigint; stream: string } | undefined => {
  const [, number = '', stream = ''] = LINK.exec(data) ?? [];
  if (number === '') return undefined;
  const revision = BigInt(number.replace('+', ''));
  return revision > MAX_LONG || revision < -MAX_LONG - 1n ? undefined : { revision, stream };
};

const LAST = -1n;

/** The message to send for an entry: its stored frame, or the link with its target where links are resolved. */
export const messageOf = (log: EventLog, entry: Entry, resolvesLinks: boolean): Buffer => {
  const frame = log.reader.frameOf(entry);
  if (!resolvesLinks || entry.type !== LINK_TYPE) return frame;
  const link = parseLink(decodeFrame(frame).data.toString());
  if (!link) return frame;
  return encodeResolvedLink(frame, entry.position, targetOf(log, link.stream, link.revision));
};

const targetOf = (log: EventLog, stream: string, pointer: bigint): Buffer | undefined => {
  const state = log.states.get(stream);
  const revision = pointer === LAST ? state.last : Number(pointer);
  if (!isReadable(log.states, state) || revision < oldestRevision(log.reader, state))
    return undefined;
  return log.reader.placeAt(state.key, revision)?.frame;
};

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
