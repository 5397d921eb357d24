import { status, type ServerErrorResponse } from '@grpc/grpc-js';
import { StorageError } from '../storage/storage-error.js';
import { CallError } from './errors.js';

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
