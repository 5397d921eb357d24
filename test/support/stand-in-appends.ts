import { createRequire } from 'node:module';
import { type Client, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type * as AnyMessage from 'google-protobuf/google/protobuf/any_pb.js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Status from '@eventstore/db-client/generated/status_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';

const require = createRequire(import.meta.url);
/** As the client requires it. */
const ofClient = createRequire(require.resolve('@eventstore/db-client/generated/status_pb'));
const { Any } = ofClient('google-protobuf/google/protobuf/any_pb.js') as typeof AnyMessage;
const { AccessDenied, BadRequest, WrongExpectedVersion } =
  require('@eventstore/db-client/generated/shared_pb') as typeof Shared;
const { Status: RpcStatus } = require('@eventstore/db-client/generated/status_pb') as typeof Status;
const { BatchAppendReq, BatchAppendResp } =
  require('@eventstore/db-client/generated/streams_pb') as typeof Streams;

/**
 * What a store answers to an append, in the place of the real one behind it:
 * - `access-denied`: the user may not write
 * - `unauthenticated`: the user's login does not count any more
 * - `not-ready`: a node that knows no leader
 * - `held-back`: a leader that lost its quorum takes it, shows it to nobody, does not confirm it, and refuses revisions
 *   because of it; what it holds goes to the store behind when it answers otherwise again
 */
export type Verdict = 'access-denied' | 'unauthenticated' | 'not-ready' | 'held-back';

type Request = InstanceType<typeof BatchAppendReq>;
type Call = ServerDuplexStream<Buffer, Buffer>;
type Details = Readonly<{ serializeBinary: () => Uint8Array }>;

const raw = (bytes: Buffer): Buffer => bytes;

const nameOf = (request: Request): string =>
  Buffer.from(request.getOptions()?.getStreamIdentifier()?.getStreamName_asU8() ?? '').toString();

const refuse = (call: Call, request: Request, [message, type, details]: Answer): void => {
  const any = new Any();
  any.pack(details.serializeBinary(), type);
  const error = new RpcStatus();
  error.setMessage(message);
  error.setDetails(any);
  const answer = new BatchAppendResp();
  answer.setCorrelationId(request.getCorrelationId());
  answer.setStreamIdentifier(request.getOptions()?.getStreamIdentifier());
  answer.setError(error);
  call.write(Buffer.from(answer.serializeBinary()));
};

type Answer = readonly [message: string, type: string, details: Details];

const wrongRevision = (actual: number): Answer => {
  const details = new WrongExpectedVersion();
  details.setCurrentStreamRevision(String(actual));
  return ['WrongExpectedVersion', 'event_store.client.WrongExpectedVersion', details];
};

const DENIED: Answer = ['Access Denied', 'event_store.client.AccessDenied', new AccessDenied()];
const NOT_READY: Answer = [
  'Server Is Not Ready',
  'event_store.client.BadRequest',
  new BadRequest(),
];

/** Events of one append; each test writes one at a time, to streams whose revisions it knows. */
type Held = Readonly<{ stream: string; revision: number; forward: () => void }>;

/** Appends in batches, as `verdict` says; undefined: what the store behind says. */
export const standInAppends = (
  behind: Client,
  verdict: () => Verdict | undefined,
  appended: (bytes: Buffer) => Buffer,
) => {
  const held: Held[] = [];

  const hold = (call: Call, request: Request, forward: () => void): void => {
    const stream = nameOf(request);
    const last = held.findLast((one) => one.stream === stream);
    const options = request.getOptions();
    const expected =
      options?.hasStreamPosition() === true ? Number(options.getStreamPosition()) : -1;
    if (last === undefined) {
      const isProbe = expected === Number.MAX_SAFE_INTEGER;
      if (isProbe) refuse(call, request, wrongRevision(0));
      else {
        const revision = expected + request.getProposedMessagesList().length;
        held.push({ stream, revision, forward });
      }
    } else refuse(call, request, wrongRevision(last.revision));
  };

  const handle = (path: string) => (call: Call) => {
    const up = behind.makeBidiStreamRequest(path, raw, raw, call.metadata);
    up.on('data', (bytes: Buffer) => call.write(appended(bytes))).on('end', () => call.end());
    up.on('error', (error) => call.emit('error', error));
    call.on('cancelled', () => {
      up.cancel();
    });
    call.on('end', () => up.end());
    call.on('data', (bytes: Buffer) => {
      const request = BatchAppendReq.deserializeBinary(bytes);
      const forward = (): void => {
        up.write(bytes);
      };
      switch (verdict()) {
        case undefined:
          forward();
          return;
        case 'access-denied':
          refuse(call, request, DENIED);
          return;
        case 'unauthenticated':
          call.emit('error', { code: status.UNAUTHENTICATED, details: '' });
          return;
        case 'not-ready':
          refuse(call, request, NOT_READY);
          return;
        case 'held-back':
          hold(call, request, forward);
      }
    });
  };

  return {
    handle,
    /** What was held back is written after all, as when the quorum is there again. */
    release: (): void => {
      for (const { forward } of held.splice(0)) forward();
    },
  };
};
