import {
  AccessDeniedError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import {
  AppendOutcomeUnknown,
  EventStoreRefuses,
  EventStoreUnavailable,
} from '../../commands/streams/event-store.js';
import { DomainError } from '../../domain/decider.js';
import { ClientGivenUp } from './held-client.js';
import { isConnectionLost, isNotReady } from './client.js';

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For the log: what the client unpacks from the answer to an append has a type and no message. */
const named = (error: unknown): Error => {
  const { type, name = 'error' } = (error ?? {}) as { type?: string; name?: string };
  return new Error(`${type ?? name}: ${textOf(error) || 'no more is said'}`, { cause: error });
};

const because = (error: unknown): Readonly<{ cause: Error }> => ({ cause: named(error) });

/** A login that is not one, or a right that is missing. Not every server tells it in the client's own terms. */
const isDenied = (error: unknown): boolean =>
  error instanceof AccessDeniedError ||
  codeOf(error) === status.PERMISSION_DENIED ||
  codeOf(error) === status.UNAUTHENTICATED;

const refuses = (error: unknown, what: 'read' | 'write'): EventStoreRefuses => {
  const isLogin = codeOf(error) === status.UNAUTHENTICATED;
  const reason = isLogin
    ? 'The event store does not accept the login of this service.'
    : `The event store does not let this service ${what}.`;
  return new EventStoreRefuses(`${reason} Nothing was written.`, because(error));
};

/** What a read failed with, in our terms. */
export const readFault = (error: unknown): unknown => {
  if (isDenied(error)) return refuses(error, 'read');
  const isLost = isConnectionLost(error) || error instanceof ClientGivenUp;
  const isFromClient = isLost || typeof codeOf(error) === 'number';
  return isFromClient || isNotReady(error)
    ? new EventStoreUnavailable('The event store cannot be reached.', because(error))
    : error;
};

/** A refused connection wrote nothing; a connection that broke may have carried the append. */
const neverSent = (error: unknown): boolean =>
  isConnectionLost(error) &&
  /ECONNREFUSED|No connection established|Failed to discover|before call started/.test(
    textOf(error),
  );

const TOO_LARGE = /maximum append (event )?size|MaximumAppendEventSize/i;

/** A message over the server's limit fails all appends on their common stream; only the large one is known not to be written. */
const isTooLarge = (error: unknown, isLarge: boolean): boolean =>
  error instanceof MaxAppendSizeExceededError ||
  TOO_LARGE.test(textOf(error)) ||
  (isLarge && codeOf(error) === status.RESOURCE_EXHAUSTED);

/** What an append failed with, in our terms: refused for certain, or not known. `isLarge`: over the server's limit. */
export const appendFault = (error: unknown, isLarge: boolean): Error => {
  if (isTooLarge(error, isLarge))
    return new DomainError('command-too-large', 'What this command writes is over 1 MiB.');
  if (isDenied(error)) return refuses(error, 'write');
  if (error instanceof StreamDeletedError)
    return new DomainError(
      'stream-deleted',
      'Somebody deleted its history in the event store for good; nothing can be added to it.',
    );
  if (isNotReady(error))
    return new EventStoreUnavailable('The event store has no leader that writes.', because(error));
  if (neverSent(error))
    return new EventStoreUnavailable('The event store refuses connections.', because(error));
  return new AppendOutcomeUnknown('The event store did not confirm the append.', because(error));
};
