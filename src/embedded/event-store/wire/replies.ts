import { status } from '@grpc/grpc-js';
import { type Refusal } from './errors.js';
import { encode, type Encoder } from './protobuf.js';
import { type Expected } from './requests.js';

/** What a write that stands answers: the stream's last revision (-1: none) and the log position, when known. */
export type Written = Readonly<{ kind: 'written'; revision: number; position: number | undefined }>;

const EXPECTED_OFFSET = { any: 1, stream_exists: 2, no_stream: 3 } as const;

/** Writes the `expected_*` oneof of a wrong-version message, whose four fields follow each other from `first`. */
const expectedOneOf = (out: Encoder, first: number, expected: Expected): void => {
  if (typeof expected === 'bigint') out.uint(first, expected);
  else out.nest(first + EXPECTED_OFFSET[expected]);
};

/** Writes a `current revision / no stream` oneof in the fields `first` and `first + 1`. */
const currentOneOf = (out: Encoder, first: number, revision: number): void => {
  if (revision < 0) out.nest(first + 1);
  else out.uint(first, revision);
};

/** The Success messages of AppendResp and BatchAppendResp: the same fields. */
const success = (out: Encoder, { revision, position }: Written): void => {
  if (position === undefined) out.nest(4);
  else {
    out.nest(3, () => {
      out.uint(2, position);
      out.uint(1, position);
    });
  }
  currentOneOf(out, 1, revision);
};

/** `AppendResp`: a wrong version is a normal reply here, every other refusal a trailer. */
export const encodeAppended = (
  outcome: Written | Extract<Refusal, { kind: 'wrong-revision' }>,
): Buffer =>
  encode((out) => {
    if (outcome.kind === 'written') {
      out.nest(1, () => {
        success(out, outcome);
      });
      return;
    }
    const { expected, current } = outcome;
    out.nest(2, () => {
      expectedOneOf(out, 8, expected);
      currentOneOf(out, 6, current);
      if (expected !== 'no_stream') expectedOneOf(out, 3, expected); // what clients of 20.6.0 look at
      currentOneOf(out, 1, current);
    });
  });

type Details = Readonly<{
  code: status;
  type: string;
  message: string;
  body?: (out: Encoder) => void;
}>;

const detailsOf = (stream: string, refusal: Refusal): Details => {
  switch (refusal.kind) {
    case 'wrong-revision':
      return {
        code: status.ALREADY_EXISTS,
        type: 'WrongExpectedVersion',
        message: `The stream's last revision is ${refusal.current}.`,
        body: (out) => {
          expectedOneOf(out, 3, refusal.expected);
          currentOneOf(out, 1, refusal.current);
        },
      };
    case 'stream-deleted':
      return {
        code: status.NOT_FOUND,
        type: 'StreamDeleted',
        message: `Event stream '${stream}' is deleted.`,
        body: (out) => {
          out.nest(1, () => {
            out.text(3, stream);
          });
        },
      };
    case 'timeout':
      return { code: status.DEADLINE_EXCEEDED, type: 'Timeout', message: 'Timeout' };
    case 'too-large':
      return {
        code: status.INVALID_ARGUMENT,
        type: 'MaximumAppendSizeExceeded',
        message: `Maximum Append Size of ${refusal.limit} Exceeded.`,
        body: (out) => {
          out.uint(1, refusal.limit);
        },
      };
    case 'missing-metadata':
      return badRequest("An event lacks the metadata 'type' or 'content-type'.");
    case 'bad-request':
      return badRequest(refusal.message);
  }
};

const badRequest = (message: string): Details => ({
  code: status.INVALID_ARGUMENT,
  type: 'BadRequest',
  message,
  body: (out) => {
    out.text(1, message);
  },
});

/** Writes google.rpc.Status with one `Any`: what the client turns into its error classes. */
const rpcStatus = (out: Encoder, { code, type, message, body }: Details): void => {
  out.nest(3, () => {
    out.nest(2, () => body?.(out));
    out.text(1, `type.googleapis.com/event_store.client.${type}`);
  });
  out.text(2, message);
  out.uint(1, code);
};

/** `BatchAppendResp`; the stream is always named, because the client reads it without looking on errors. */
export const encodeBatchAppended = (
  correlation: Buffer,
  stream: string,
  outcome: Written | Refusal,
): Buffer =>
  encode((out) => {
    out.nest(4, () => {
      out.text(3, stream);
    });
    if (outcome.kind === 'written') {
      out.nest(3, () => {
        success(out, outcome);
      });
    } else {
      out.nest(2, () => {
        rpcStatus(out, detailsOf(stream, outcome));
      });
    }
    out.bytes(1, correlation);
  });

/** `ReadResp.confirmation`: the first message of every subscription. */
export const encodeConfirmation = (subscriptionId: string): Buffer =>
  encode((out) => {
    out.nest(2, () => {
      out.text(1, subscriptionId);
    });
  });

/** `ReadResp.checkpoint`: everything up to this position has been considered. */
export const encodeCheckpoint = (commit: number, prepare = commit): Buffer =>
  encode((out) => {
    out.nest(3, () => {
      out.uint(2, prepare);
      out.uint(1, commit);
    });
  });

/** `ReadResp.stream_not_found`: in-band, because the client does not look for it in the trailers. */
export const encodeStreamNotFound = (stream: string): Buffer =>
  encode((out) => {
    out.nest(4, () => {
      out.nest(1, () => {
        out.text(3, stream);
      });
    });
  });

/** `ReadResp.caught_up`: from here on the subscription is live. */
export const CAUGHT_UP = encode((out) => {
  out.nest(8);
});

/** `DeleteResp` and `TombstoneResp`: the position of the record that deletes. */
export const encodeDeleted = (position: number): Buffer =>
  encode((out) => {
    out.nest(1, () => {
      out.uint(2, position);
      out.uint(1, position);
    });
  });
