import { type ServerDuplexStream } from '@grpc/grpc-js';
import { type EventLog } from '../log/log.js';
import { type OpenCalls } from '../reads/outlet.js';
import { type Refusal, toServerError } from '../wire/errors.js';
import { encodeBatchAppended, type Written } from '../wire/replies.js';
import { type BatchAppendChunk, type WriteOptions } from '../wire/requests.js';
import {
  acceptUntil,
  appendCollected,
  collect,
  type Collected,
  NOTHING_COLLECTED,
} from './proposals.js';

/** A BatchAppend call as grpc-js hands it over; it answers encoded messages. */
type BatchAppendCall = ServerDuplexStream<BatchAppendChunk, Buffer>;

/** An append whose last chunk has not arrived; `isAnswered` when it was refused and the rest is ignored. */
type Unfinished = {
  readonly correlation: Buffer;
  readonly options: WriteOptions;
  readonly untilMs: number;
  collected: Collected;
  isAnswered: boolean;
  timer?: NodeJS.Timeout;
};

const NO_OPTIONS: Refusal = { kind: 'bad-request', message: 'The first chunk has no options.' };
const UNKNOWN_STREAM: WriteOptions = { stream: '', expected: 'any', deadlineMs: Infinity };

/** Sends replies no faster than the client takes them: while it lags, nothing more is read from it. */
const pacedWriter = (call: BatchAppendCall) => {
  call.on('drain', () => {
    call.resume();
  });
  return (message: Buffer): void => {
    if (call.cancelled || call.writableEnded) return;
    if (!call.write(message)) call.pause();
  };
};

const session = (log: EventLog, call: BatchAppendCall) => {
  const unfinished = new Map<string, Unfinished>();
  const write = pacedWriter(call);

  const reply = ({ correlation, options }: Unfinished, outcome: Written | Refusal): void => {
    write(encodeBatchAppended(correlation, options.stream, outcome));
  };

  const refuse = (append: Unfinished, refusal: Refusal): void => {
    append.isAnswered = true;
    append.collected = NOTHING_COLLECTED; // what is still to come is not kept either
    reply(append, refusal);
  };

  const begin = ({ correlation, options = UNKNOWN_STREAM }: BatchAppendChunk): Unfinished => ({
    // A copy: the bytes are part of the chunk, which would be kept with them.
    correlation: Buffer.from(correlation),
    options,
    untilMs: acceptUntil(options.deadlineMs),
    collected: NOTHING_COLLECTED,
    isAnswered: false,
  });

  const awaitRest = (key: string, append: Unfinished): void => {
    if (unfinished.has(key)) return;
    unfinished.set(key, append);
    append.timer = setTimeout(
      () => {
        if (!append.isAnswered) refuse(append, { kind: 'timeout' });
      },
      Math.max(0, append.untilMs - Date.now()),
    );
    append.timer.unref();
  };

  const finish = async (append: Unfinished): Promise<void> => {
    const { options, collected, untilMs } = append;
    reply(append, await appendCollected(log, options, collected, untilMs));
  };

  const addTo = (append: Unfinished, chunk: BatchAppendChunk): void => {
    if (append.isAnswered) return;
    const more =
      append.options === UNKNOWN_STREAM
        ? NO_OPTIONS
        : collect(append.collected, chunk.proposals, log.maxAppendBytes);
    if ('kind' in more) refuse(append, more);
    else append.collected = more;
  };

  return {
    receive: async (chunk: BatchAppendChunk): Promise<void> => {
      const key = chunk.correlation.toString('latin1');
      const append = unfinished.get(key) ?? begin(chunk);
      addTo(append, chunk);
      if (!chunk.isFinal) {
        awaitRest(key, append);
        return;
      }
      clearTimeout(append.timer);
      unfinished.delete(key);
      if (!append.isAnswered) await finish(append);
    },
    forget: () => {
      for (const { timer } of unfinished.values()) clearTimeout(timer);
      unfinished.clear();
    },
  };
};

/** `Streams/BatchAppend`: many appends over one call, each answered by its correlation id. */
export const batchAppendHandler =
  (log: EventLog, openCalls: OpenCalls) =>
  (call: BatchAppendCall): void => {
    const { receive, forget } = session(log, call);
    let inFlight = 0;
    let isOver = false;
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      call.emit('error', toServerError(error));
    };
    const leave = openCalls.add(fail);
    const endWhenAnswered = (): void => {
      if (inFlight === 0 && call.readableEnded && !isOver) call.end();
    };
    call.on('data', (chunk: BatchAppendChunk) => {
      if (isOver) return;
      inFlight++;
      receive(chunk)
        .catch(fail)
        .finally(() => {
          inFlight--;
          endWhenAnswered();
        });
    });
    call.on('end', endWhenAnswered);
    for (const event of ['cancelled', 'close', 'error'])
      call.on(event, () => {
        isOver = true;
        forget();
        leave();
      });
  };
