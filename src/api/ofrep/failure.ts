import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type ProblemCode, PROBLEMS } from '../http/problem.js';
import { tell } from '../http/send-problem.js';

/** The error codes of OFREP 0.3.0, and one of OpenFeature that it leaves out. */
type ErrorCode =
  | 'PARSE_ERROR'
  | 'TARGETING_KEY_MISSING'
  | 'INVALID_CONTEXT'
  | 'FLAG_NOT_FOUND'
  | 'PROVIDER_NOT_READY'
  | 'GENERAL';

/** Error codes of problems; `GENERAL` for all others. */
const ERROR_CODES: Readonly<Partial<Record<ProblemCode, ErrorCode>>> = {
  'invalid-json': 'PARSE_ERROR',
  'inexact-number': 'INVALID_CONTEXT',
  'rulesets-unavailable': 'PROVIDER_NOT_READY',
};

/** A request that cannot be evaluated. */
export class OfrepFailure extends Error {
  override readonly name = 'OfrepFailure';
  readonly status: number;
  readonly errorCode: ErrorCode;
  constructor(status: number, errorCode: ErrorCode, details: string) {
    super(details);
    this.status = status;
    this.errorCode = errorCode;
  }
}

/**
 * A body that every known client can read, whatever the status: an object with `metadata` (Java reads it before it
 * looks at the status), with `errorDetails` (Python needs it), and with `key` and `errorCode` (JavaScript).
 */
const failureBody = (errorCode: ErrorCode, details: string, key?: string): string =>
  JSON.stringify({
    ...(key === undefined ? {} : { key }),
    errorCode,
    errorDetails: details,
    metadata: {},
  });

/** Whole seconds: the only form of Retry-After that all clients read alike. */
const RETRY_SECONDS: Readonly<Record<number, string>> = { 429: '1', 503: '1' };

const keyIn = ({ params }: FastifyRequest): string | undefined => {
  const { key } = (params ?? {}) as Readonly<{ key?: unknown }>;
  return typeof key === 'string' ? key : undefined;
};

const failureOf = (error: Error, request: FastifyRequest): OfrepFailure => {
  if (error instanceof OfrepFailure) return error;
  const { code, detail } = tell(error, request);
  const [status, title] = PROBLEMS[code];
  const errorCode = ERROR_CODES[code] ?? 'GENERAL';
  return new OfrepFailure(status, errorCode, detail ?? title);
};

/** Answers every error under /ofrep. 5xx are logged with their cause and tell nothing of the inside. */
export const sendFailure = (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
  const { status, errorCode, message } = failureOf(error, request);
  if (status >= 500) request.log.error({ err: error, requestId: request.id }, 'request failed');
  const retry = RETRY_SECONDS[status];
  if (retry !== undefined && !reply.hasHeader('retry-after'))
    void reply.header('retry-after', retry);
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(failureBody(errorCode, message, keyIn(request)));
};

const STREAM = '/ofrep/v1/events';
const EVALUATION = /^\/ofrep\/v1\/evaluate\/flags(?:\/(.*))?$/;

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** 405 for another method of an evaluation; 404 for a key with a slash, which some clients do not encode, and for all else. */
export const answerUnknown = (request: FastifyRequest, reply: FastifyReply): void => {
  const [path = ''] = request.url.split('?', 1);
  const found = EVALUATION.exec(path);
  if (found !== null && request.method !== 'POST') {
    void reply.header('allow', 'POST');
    sendFailure(new OfrepFailure(405, 'GENERAL', 'Evaluate with POST.'), request, reply);
    return;
  }
  if (path === STREAM) {
    void reply.header('allow', 'GET, HEAD');
    sendFailure(new OfrepFailure(405, 'GENERAL', 'Follow events with GET.'), request, reply);
    return;
  }
  if (found === null) {
    sendFailure(new OfrepFailure(404, 'GENERAL', `There is no ${path}.`), request, reply);
    return;
  }
  const key = decoded(found[1] ?? '');
  request.params = { key };
  sendFailure(
    new OfrepFailure(404, 'FLAG_NOT_FOUND', `There is no flag '${key}'.`),
    request,
    reply,
  );
};
