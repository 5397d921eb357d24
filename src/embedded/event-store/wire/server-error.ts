import { status, type ServerErrorResponse } from '@grpc/grpc-js';
import { StorageError } from '../storage/storage-error.js';
import { CallError } from './errors.js';

/** Any error as the gRPC status that tells the client most. */
export const toServerError = (error: unknown): ServerErrorResponse => {
  if (error instanceof CallError) return Object.assign(error, error.status);
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = cause instanceof StorageError ? status.DATA_LOSS : status.INTERNAL;
  return Object.assign(new Error(cause.message, { cause }), { code, details: cause.message });
};
