import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { ConflictingChanges } from '../../commands/environments/merging.js';
import {
  AppendOutcomeUnknown,
  CommandNotStarted,
  EventStoreRefuses,
  EventStoreUnavailable,
  WrongRevision,
} from '../../commands/streams/event-store.js';
import { DomainError } from '../../domain/decider.js';
import { QuotaExceeded } from '../limits/quotas.js';
import { isProblemCode, type Problem, type ProblemCode, problemOf } from './problem.js';

/** A route's path as a pattern over whole paths: `:name` is one segment, `*` any number. */
const patternOf = (url: string): RegExp => {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:\w+/g, '[^/]+')
    .replace('*', '.*');
  return new RegExp(`^${source}$`);
};

const refuse = (
  reply: FastifyReply,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply =>
  reply.code(problem.status).headers(headers).type('application/problem+json').send(problem);

/** 405 and `Allow` for a path that has routes of other methods, 404 for all others. Comes before the routes. */
export const answerUnknownRoutes = (app: FastifyInstance): void => {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsOf.set(url, methods);
  });

  const allowed = (path: string): readonly string[] => {
    const matching = [...methodsOf].filter(([url]) => patternOf(url).test(path));
    return [...new Set(matching.flatMap(([, methods]) => [...methods]))].toSorted();
  };

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { method, id } = request;
    const [path = ''] = request.url.split('?', 1);
    const allow = allowed(path).join(', ');
    if (allow === '') {
      const detail = `There is no ${method} ${path}; see /docs.`;
      return refuse(reply, problemOf('route-not-found', id, { detail }));
    }
    const detail = `There is no ${method} of it; there is ${allow}.`;
    return refuse(reply, problemOf('method-not-allowed', id, { detail }), { allow });
  };
  app.setNotFoundHandler({}, answer);
};

type Failure = NonNullable<FastifyError['validation']>[number];

/** What a union says when no branch fits tells nothing; its branches do. */
const UNIONS = new Set(['anyOf', 'oneOf']);

const valuesOf = (failures: readonly Failure[], path: string): string =>
  failures
    .filter(({ keyword, instancePath }) => keyword === 'const' && instancePath === path)
    .map(({ params }) => JSON.stringify(params['allowedValue']))
    .join(', ');

const sentenceOf = (failures: readonly Failure[], failure: Failure, context: string): string => {
  const { keyword, params, message = 'is not allowed', instancePath } = failure;
  const subject = `${context}${instancePath}`;
  if (keyword === 'additionalProperties')
    return `${subject} has the unknown property ${JSON.stringify(params['additionalProperty'])}`;
  if (keyword === 'const') return `${subject} must be one of ${valuesOf(failures, instancePath)}`;
  return `${subject} ${message}`;
};

/** What is wrong with a request, for people: each fault once. */
const validationDetail = ({ validation = [], validationContext }: FastifyError): string => {
  const telling = validation.filter(({ keyword }) => !UNIONS.has(keyword));
  const failures = telling.length > 0 ? telling : validation;
  const sentences = failures.map((failure) =>
    sentenceOf(failures, failure, validationContext ?? ''),
  );
  return [...new Set(sentences)].join('; ');
};

type Told = Readonly<{ code: ProblemCode; detail?: string; [member: string]: unknown }>;

const FASTIFY_ERRORS: Readonly<Record<string, Told>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'body-too-large',
    detail:
      'The limit is 1 MiB; 8 MiB for an import or the keys of a segment, 4 MiB for targets, 64 KiB for an evaluation.',
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
        detail: `If-Match names revision ${expected}, but the current revision is ${actual}. Read it again.`,
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
