import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { answerUnknown } from '../ofrep/failure.js';
import { type ProblemCode, problemOf } from './problem.js';

type Told = readonly [code: ProblemCode, detail: string];

const UNREADABLE: Told = ['malformed-request', 'The request is not valid HTTP.'];

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

const NAME = 'x-forwarded-for';

/** `1.2.3.4:80`, `[2001:db8::1]:80`, and either without a port; some proxies put quotes around. */
const ENTRY = /^"?(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d+)?"?$|^"?([\da-f:.]+)"?$/i;

/** The address alone; undefined for what is none. */
const addressIn = (entry: string): string | undefined => {
  const [, bracketed, v4, v6] = ENTRY.exec(entry) ?? [];
  const address = bracketed ?? v4 ?? v6 ?? '';
  return isIP(address) === 0 ? undefined : address;
};

/** What is right of the last entry that is no address: proxies append, so what is left of it is only alleged. */
const cleanEntries = (header: string): readonly string[] => {
  const entries = header.split(',').map((entry) => entry.trim());
  const clean: string[] = [];
  for (const entry of entries.filter((one) => one !== '').toReversed()) {
    const address = addressIn(entry);
    if (address === undefined) break;
    clean.unshift(address);
  }
  return clean;
};

const cleanHeader = (headers: IncomingHttpHeaders): void => {
  const given = headers[NAME];
  if (given === undefined) return;
  const clean = cleanEntries(String(given));
  if (clean.length > 0) headers[NAME] = clean.join(', ');
  else Reflect.deleteProperty(headers, NAME);
};

/**
 * Makes X-Forwarded-For a list of addresses before anybody asks for `request.ip`. Some proxies send the client's port
 * along, which is another one for every connection. For an entry that is no address, the proxy that sent it counts.
 * Comes before every hook that looks at addresses.
 */
export const cleanForwardedFor = (
  app: FastifyInstance,
  trustedProxies: readonly string[] | undefined,
): void => {
  // Nobody reads the header then.
  if (trustedProxies === undefined) return;
  app.addHook('onRequest', (request, _, done) => {
    cleanHeader(request.raw.headers);
    done();
  });
};
