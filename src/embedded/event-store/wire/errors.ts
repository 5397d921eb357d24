import { Metadata, type ServerErrorResponse, status, type StatusObject } from '@grpc/grpc-js';
import { StorageError } from '../storage/schema.js';
import { type Expected } from './requests.js';

/** `MaxAppendSize` of a real server as it comes: the events of one append, in bytes. */
export const DEFAULT_MAX_APPEND_BYTES = 1024 * 1024;

/** Why a write was not made. `current` is the stream's last revision, -1 when it has none. */
export type Refusal =
  | Readonly<{ kind: 'wrong-revision'; expected: Expected; current: number }>
  | Readonly<{ kind: 'stream-deleted' }>
  | Readonly<{ kind: 'timeout' }>
  | Readonly<{ kind: 'too-large'; limit: number }>
  | Readonly<{ kind: 'missing-metadata' }>
  | Readonly<{ kind: 'bad-request'; message: string }>;

/** A gRPC status that ends a call; thrown inside handlers. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly status: StatusObject;
  constructor(code: status, details: string, trailers: Readonly<Record<string, string>> = {}) {
    super(details);
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(trailers)) metadata.set(key, headerSafe(value));
    this.status = { code, details, metadata };
  }
}

/** Trailers are printable ASCII; anything else is percent-encoded. */
const headerSafe = (value: string): string =>
  value.replace(/[^\x20-\x7e]/gu, (character) => encodeURIComponent(character));

const EXPECTED_NUMBERS = { any: '-2', no_stream: '-1', stream_exists: '-4' } as const;

const expectedNumber = (expected: Expected): string =>
  typeof expected === 'bigint' ? expected.toString() : EXPECTED_NUMBERS[expected];

/** The trailers of a deleted (tombstoned) stream. Source: table 1.3 of the protocol notes. */
export const streamDeleted = (stream: string): CallError =>
  new CallError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

/** A malformed request, answered without an `exception` key as a real server does. */
export const invalidArgument = (message: string): CallError =>
  new CallError(status.INVALID_ARGUMENT, message);

/** The status and trailers by which the client recognises a refused write. */
export const refusalToCallError = (
  stream: string,
  refusal: Refusal,
  operation: 'Append' | 'Delete' = 'Append',
): CallError => {
  switch (refusal.kind) {
    case 'wrong-revision':
      return new CallError(
        status.FAILED_PRECONDITION,
        `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expectedNumber(refusal.expected)}, Actual version: ${refusal.current}`,
        {
          exception: 'wrong-expected-version',
          'stream-name': stream,
          'expected-version': expectedNumber(refusal.expected),
          'actual-version': `${refusal.current}`,
        },
      );
    case 'stream-deleted':
      return streamDeleted(stream);
    case 'timeout':
      return new CallError(status.DEADLINE_EXCEEDED, 'The write was not accepted in time.');
    case 'too-large':
      return new CallError(
        status.INVALID_ARGUMENT,
        `Maximum Append Size of ${refusal.limit} Exceeded.`,
        {
          exception: 'maximum-append-size-exceeded',
          'maximum-append-size': `${refusal.limit}`,
        },
      );
    case 'missing-metadata':
      return new CallError(status.INVALID_ARGUMENT, 'Required Metadata Property is missing.', {
        exception: 'missing-required-metadata-property',
        'required-metadata-properties': 'type,content-type',
      });
    case 'bad-request':
      return invalidArgument(refusal.message);
  }
};

const CODES = {
  damaged: status.DATA_LOSS,
  full: status.RESOURCE_EXHAUSTED,
  failing: status.INTERNAL,
  unusable: status.UNAVAILABLE,
} as const;

/** Any error as the gRPC status that tells the client most. */
export const toServerError = (error: unknown): ServerErrorResponse => {
  if (error instanceof CallError) return Object.assign(error, error.status);
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = cause instanceof StorageError ? CODES[cause.fault] : status.INTERNAL;
  return Object.assign(new Error(cause.message, { cause }), { code, details: cause.message });
};
