import { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  AppendOutcomeUnknown,
  CommandNotStarted,
  EventStoreRefuses,
  EventStoreUnavailable,
  WrongRevision,
} from '../commands/event-store.js';
import { ConflictingChanges } from '../commands/merging/three-way.js';
import { DomainError } from '../domain/decider.js';
import { QuotaExceeded } from './limits/quotas.js';
import { isProblemCode, type Problem, type ProblemCode, problemOf } from './problem.js';
import { validationDetail } from './tell-validation.js';

type Told = Readonly<{ code: ProblemCode; detail?: string; [member: string]: unknown }>;

const FASTIFY_ERRORS: Readonly<Record<string, Told>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'body-too-large',
    detail:
      'It may have 1 MiB; 8 MiB for an import or the keys of a segment, 4 MiB for targets, 64 KiB for an evaluation.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    detail: 'Send the body as application/json.',
  },
};

const tellValidation = (error: FastifyError): Told => ({
  code: 'invalid-request',
  detail: validationDetail(error),
  errors: error.validation?.map(({ instancePath, message, params }) => ({
    in: error.validationContext,
    path: instancePath,
    message,
    params,
  })),
});

const tellFramework = (error: FastifyError): Told => {
  if (error.validation !== undefined) return tellValidation(error);
  const told = FASTIFY_ERRORS[error.code];
  if (told !== undefined) return told;
  const isCallersFault = error.statusCode !== undefined && error.statusCode < 500;
  return isCallersFault ? { code: 'invalid-request', detail: error.message } : { code: 'internal' };
};

const tellConflict = ({ expected, actual }: WrongRevision, isConditional: boolean): Told =>
  isConditional
    ? {
        code: 'stale-revision',
        detail: `If-Match names revision ${expected}, but it is at revision ${actual}. Read it again.`,
        revision: actual,
      }
    : { code: 'concurrent-change', detail: 'Send the command again.', revision: actual };

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  '57P01',
  '57P03',
]);

/** A database driver's sign of a connection that is refused, broken or too slow. */
const isDatabaseAway = (error: Error): boolean => {
  const { code } = error as { code?: unknown };
  return (
    (typeof code === 'string' && UNREACHABLE.has(code)) ||
    /timeout|Connection terminated|connection/i.test(error.message)
  );
};

const tellFault = (error: Error): Told => {
  const { code } = error as { code?: unknown };
  const isFrameworks = typeof code === 'string' && code.startsWith('FST_');
  return !isFrameworks && isDatabaseAway(error)
    ? { code: 'read-model-unavailable' }
    : tellFramework(error as FastifyError);
};

const tellRefusal = (error: DomainError): Told => {
  const { code, message: detail } = error;
  if (!isProblemCode(code)) return { code: 'internal' };
  if (error instanceof QuotaExceeded) return { code, detail, ...error.told };
  return error instanceof ConflictingChanges
    ? { code, detail, conflicts: error.conflicts }
    : { code, detail };
};

const tellOutcomeUnknown = (commandId: string): Told => ({
  code: 'outcome-unknown',
  detail: `It may have been written. Send it again with "Idempotency-Key: ${commandId}": it is never applied twice.`,
  commandId,
});

/** Which problem an error is; nothing of the inside is in it. */
export const tell = (error: Error, request: FastifyRequest): Told => {
  if (error instanceof DomainError) return tellRefusal(error);
  if (error instanceof WrongRevision) {
    return tellConflict(error, request.headers['if-match'] !== undefined);
  }
  if (error instanceof EventStoreUnavailable) {
    return { code: 'event-store-unavailable', detail: error.message };
  }
  if (error instanceof EventStoreRefuses) {
    return { code: 'event-store-refuses', detail: error.message };
  }
  if (error instanceof CommandNotStarted) {
    return { code: 'command-not-started', detail: `${error.message} Send it again.` };
  }
  if (error instanceof AppendOutcomeUnknown) return tellOutcomeUnknown(request.commandId);
  return tellFault(error);
};

/** The one place that knows statuses. 5xx are logged with their cause and tell nothing of the inside. */
export const sendProblem = async (
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Problem> => {
  const { code, ...extras } = tell(error, request);
  const problem = problemOf(code, request.id, extras);
  request.problemCode = code;
  if (problem.status >= 500)
    request.log.error({ err: error, code, requestId: request.id }, 'request failed');
  if (problem.status === 503 && !reply.hasHeader('retry-after'))
    void reply.header('retry-after', '1');
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply.code(problem.status).type('application/problem+json');
  return problem;
};
