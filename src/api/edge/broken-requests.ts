import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { type Socket } from 'node:net';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { answerUnknown } from '../ofrep/unknown-paths.js';
import { type ProblemCode, problemOf } from '../problem.js';

type Told = readonly [code: ProblemCode, detail: string];

const UNREADABLE: Told = ['malformed-request', 'This is not HTTP as it should be.'];

const TOLD: Readonly<Record<string, Told>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The whole request did not come in time.'],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'All headers together may have 16 KiB.'],
  FST_ERR_BAD_URL: ['malformed-request', 'The path has a "%" that begins no UTF-8 character.'],
  FST_ERR_MAX_PARAM_LENGTH: ['path-too-long', 'A part of the path is longer than any key.'],
};

type Broken = Readonly<{ code?: string }>;

const problemFor = ({ code = '' }: Broken, instance: string) => {
  const [problem, detail] = TOLD[code] ?? UNREADABLE;
  return problemOf(problem, instance, { detail });
};

/** Answers what is no request yet, on the bare connection, and closes it. */
export const answerBrokenConnection = (error: Broken, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemFor(error, randomUUID());
  const body = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${problem.instance}`,
    '',
    body,
  ];
  socket.write(lines.join('\r\n'));
  socket.destroySoon();
};

/** Answers a path that cannot be looked up. */
export const answerBrokenPath = (
  error: Broken,
  request: FastifyRequest,
  reply: FastifyReply,
): void => {
  const { id } = request;
  if (request.url.startsWith('/ofrep/')) {
    answerUnknown(request, reply);
    return;
  }
  const problem = problemFor(error, id);
  void reply
    .code(problem.status)
    .header('x-request-id', id)
    .type('application/problem+json')
    .send(problem);
};
